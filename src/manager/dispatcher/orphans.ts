import type { Instant } from '#lib/clock.ts'
import { remove, update } from '#model/change.ts'
import type { Change, ObjectEvent } from '#model/change.ts'
import type { NodeId } from '#model/id.ts'
import { mayTransition } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'

/** A node that was down for as long is not coming back: what ran there is given up. Swarm's number. */
const givenUpAfterMs = 24 * 3_600_000

/** Nodes that are no more, as far as tasks still name them. */
export class GoneNodes {
  readonly #ids = new Set<NodeId>()

  constructor(view: View) {
    for (const task of view.list('task')) this.#noteTask(task, view)
  }

  hear(events: readonly ObjectEvent[], view: View): void {
    for (const { before, after } of events) {
      if (before?.kind === 'node' && after === undefined) this.#ids.add(before.meta.id)
      // A decision may have been under way while the node was removed.
      if (after?.kind === 'task') this.#noteTask(after, view)
    }
  }

  /** Orphans what ran on nodes that were removed, or are down for good: nobody else will ever say what became of it. */
  orphans(view: View, now: Instant): Change[] {
    const changes: Change[] = []
    for (const id of this.#ids) {
      const before = changes.length
      if (view.get('node', id) === undefined)
        changes.push(...orphaned(view, id, 'the node was removed from the cluster', now))
      if (changes.length === before) this.#ids.delete(id)
    }
    for (const { meta, status } of view.list('node'))
      if (status.state === 'down' && now - (status.downSince ?? now) >= givenUpAfterMs)
        changes.push(...orphaned(view, meta.id, 'the node has been down for a day', now))
    return changes
  }

  #noteTask(task: Task, view: View): void {
    if (task.nodeId !== '' && isOrphanable(task) && view.get('node', task.nodeId) === undefined)
      this.#ids.add(task.nodeId)
  }
}

const isOrphanable = (task: Task): boolean => mayTransition('node-health', task.status.state, 'orphaned')

const orphaned = (view: View, nodeId: NodeId, error: string, now: Instant): Change[] =>
  [...view.tasksOfNode(nodeId)].filter(isOrphanable).flatMap((task) => {
    // A plain container's place goes with its node. While the node may come back, so may the container, to its address.
    if (isPlace(task)) return view.get('node', nodeId) === undefined ? [remove(task)] : []
    const status = { ...task.status, state: 'orphaned', since: now, message: 'orphaned', error } as const
    return [update({ ...task, meta: { ...task.meta, updatedAt: now }, status })]
  })

const isPlace = (task: Task): boolean => task.spec.runtime === 'attachment'
