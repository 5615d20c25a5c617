import type { Change, ObjectEvent } from '#model/change.ts'
import type { TaskId } from '#model/id.ts'
import type { Kind, StoredObject } from '#model/objects.ts'
import { compareStates, isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { Allocator } from './allocator/allocator.ts'
import { ClusterNodes } from './scheduler/cluster-nodes.ts'
import type { TurnState } from './turn.ts'

/** The sums that turns are decided on, following the mirror. */
export class PipelineState implements TurnState {
  readonly nodes: ClusterNodes
  readonly allocator: Allocator
  readonly movers = new Map<TaskId, Task>()
  readonly #view: View

  constructor(view: View) {
    this.#view = view
    this.nodes = new ClusterNodes(view.list('node'), view.list('task'))
    for (const task of view.list('task')) this.#noteMover(task)
    this.allocator = new Allocator({
      networks: view.list('network'),
      services: view.list('service'),
      tasks: view.list('task'),
    })
  }

  hear(events: readonly ObjectEvent[]): void {
    for (const { kind, before, after } of events) this.#put(kind, before, after)
  }

  /** A turn was counted and not stored, or not all of it: its objects are counted as they are. */
  restore(changes: readonly Change[]): void {
    for (const change of changes) {
      const [kind, id] =
        change.op === 'remove' ? [change.kind, change.id] : [change.object.kind, change.object.meta.id]
      const decided = change.op === 'remove' ? undefined : change.object
      this.#put(kind, decided, this.#view.get(kind, id))
    }
  }

  #noteMover(task: Task): void {
    const isMoving = isRunnable(task.desiredState) && compareStates(task.status.state, 'running') <= 0
    if (task.cause === 'rebalance' && isMoving) this.movers.set(task.meta.id, task)
    else this.movers.delete(task.meta.id)
  }

  #put(kind: Kind, before: StoredObject | undefined, after: StoredObject | undefined): void {
    switch ((after ?? before)?.kind) {
      case 'task':
        if (after?.kind === 'task') {
          this.nodes.putTask(after)
          this.#noteMover(after)
          this.allocator.putTask(after)
        } else if (before !== undefined) {
          this.nodes.removeTask(before.meta.id as TaskId)
          this.movers.delete(before.meta.id as TaskId)
          this.allocator.removeTask(before.meta.id as TaskId)
        }
        break
      case 'node':
        if (after?.kind === 'node') this.nodes.putNode(after, this.#view.tasksOfNode(after.meta.id))
        else if (before?.kind === 'node') this.nodes.removeNode(before.meta.id)
        break
      case 'service':
        if (after?.kind === 'service') this.allocator.putService(after)
        else if (before?.kind === 'service') this.allocator.removeService(before)
        break
      case 'network':
        if (after?.kind === 'network') this.allocator.putNetwork(after)
        else if (before?.kind === 'network') this.allocator.removeNetwork(before)
        break
      default:
        break
    }
  }
}
