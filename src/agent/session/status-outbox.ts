import type { TaskId } from '#model/id.ts'
import { isTerminal } from '#model/task-state.ts'
import type { TaskStatus } from '#model/task.ts'
import type { TaskStatusUpdate } from '#rpc/messages.ts'
import type { EndedTasks } from './ended-tasks.ts'

/** States gather this long before they are sent: a burst costs one message. */
const gatherMs = 20

type Send = (updates: readonly TaskStatusUpdate[]) => void

/**
 * What was seen of tasks and is not known to be stored, the newest of each; sent again to each new manager until one
 * says it has it. Of a task one report is under way at a time: an acknowledgement names only the task, and must not be
 * taken for that of a later report.
 */
export class StatusOutbox {
  readonly #ended: EndedTasks
  readonly #unstored = new Map<TaskId, TaskStatus>()
  readonly #due = new Set<TaskId>()
  readonly #underWay = new Map<TaskId, TaskStatus>()
  #timer: NodeJS.Timeout | undefined
  #send: Send | undefined

  constructor(ended: EndedTasks) {
    this.#ended = ended
    for (const [taskId, status] of ended.entries()) this.#unstored.set(taskId, status)
  }

  add(taskId: TaskId, status: TaskStatus): void {
    if (this.#unstored.get(taskId) === status) return
    if (isTerminal(status.state)) this.#ended.put(taskId, status)
    this.#unstored.set(taskId, status)
    this.#makeDue(taskId)
  }

  /** A session is open: everything unstored goes out. Undefined: it is over. */
  connect(send: Send | undefined): void {
    this.#send = send
    this.#underWay.clear()
    this.#due.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (send !== undefined) for (const taskId of this.#unstored.keys()) this.#makeDue(taskId)
  }

  /** The manager has stored what was sent of these. */
  stored(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) {
      const sent = this.#underWay.get(taskId)
      if (sent === undefined) continue
      this.#underWay.delete(taskId)
      if (this.#unstored.get(taskId) === sent) this.drop(taskId)
      else this.#makeDue(taskId)
    }
  }

  /** Nobody needs to know any more. */
  drop(taskId: TaskId): void {
    this.#unstored.delete(taskId)
    this.#due.delete(taskId)
    this.#ended.delete(taskId)
  }

  #makeDue(taskId: TaskId): void {
    if (this.#underWay.has(taskId)) return
    this.#due.add(taskId)
    if (this.#send === undefined) return
    this.#timer ??= setTimeout(() => {
      this.#flush()
    }, gatherMs)
  }

  #flush(): void {
    this.#timer = undefined
    const updates: TaskStatusUpdate[] = []
    for (const taskId of this.#due) {
      const status = this.#unstored.get(taskId)
      if (status === undefined) continue
      this.#underWay.set(taskId, status)
      updates.push({ taskId, status })
    }
    this.#due.clear()
    if (updates.length > 0) this.#send?.(updates)
  }
}
