import type { ObjectEvent } from '#model/change.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import { isRunnable, isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { DataPlaneFeed } from './feed.ts'

/**
 * Tells an agent that no host sends anything new to a task that is to stop. A task left the data plane with the
 * revision that said so; once every host has applied that revision, it may get its stop signal.
 */
export class Withdrawals implements Disposable {
  readonly #mirror: Mirror
  readonly #feed: DataPlaneFeed
  readonly #tell: (nodeId: NodeId, taskIds: TaskId[]) => void
  readonly #waiting = new Map<TaskId, { readonly nodeId: NodeId; readonly revision: number }>()
  readonly #subscription: Disposable
  #elsewhere = Number.MAX_SAFE_INTEGER
  #checking: NodeJS.Immediate | undefined

  constructor(parts: {
    mirror: Mirror
    feed: DataPlaneFeed
    tell: (nodeId: NodeId, taskIds: TaskId[]) => void
  }) {
    this.#mirror = parts.mirror
    this.#feed = parts.feed
    this.#tell = parts.tell
    this.#subscription = parts.mirror.subscribe((events, revision) => {
      for (const event of events)
        if (event.kind === 'task') this.#hear(event as ObjectEvent<'task'>, revision)
    })
  }

  /** A node has a new session: what of it is to stop is looked at again. */
  opened(nodeId: NodeId): void {
    for (const task of this.#mirror.tasksOfNode(nodeId))
      if (isLeaving(task)) this.#wait(task, this.#mirror.revision)
  }

  /** The revision that all nodes have applied whose sessions other managers hold. */
  set elsewhere(revision: number) {
    this.#elsewhere = revision
    this.check()
  }

  /** A host has applied something more, or has gone. */
  check(): void {
    if (this.#waiting.size === 0) return
    this.#checking ??= setImmediate(() => {
      this.#checking = undefined
      const applied = Math.min(this.#feed.appliedRevision(), this.#elsewhere)
      const byNode = new Map<NodeId, TaskId[]>()
      for (const [taskId, { nodeId, revision }] of this.#waiting) {
        if (revision > applied) continue
        this.#waiting.delete(taskId)
        byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), taskId])
      }
      for (const [nodeId, taskIds] of byNode) this.#tell(nodeId, taskIds)
    })
  }

  [Symbol.dispose](): void {
    this.#subscription[Symbol.dispose]()
    clearImmediate(this.#checking)
  }

  #hear({ before, after }: ObjectEvent<'task'>, revision: number): void {
    if (after === undefined || !isLeaving(after)) {
      const id = (after ?? before)?.meta.id
      if (id !== undefined) this.#waiting.delete(id)
    } else if (before === undefined || !isLeaving(before)) this.#wait(after, revision)
  }

  #wait(task: Task, revision: number): void {
    if (task.nodeId === '') return
    this.#waiting.set(task.meta.id, { nodeId: task.nodeId, revision })
    this.check()
  }
}

/** A task with addresses that is to stop, and whose container may still run. */
const isLeaving = (task: Task): boolean =>
  !isRunnable(task.desiredState) && !isTerminal(task.status.state) && task.attachments.length > 0
