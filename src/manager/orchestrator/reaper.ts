import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Plan } from './plan.ts'
import { hasEnded, isWanted } from './service-view.ts'
import type { Slot } from './slots.ts'
import { isEvidence } from './update-status.ts'

/** It is to go, and no container of it is left to be stopped. */
export const isRemovable = (task: Task): boolean =>
  !isWanted(task) &&
  (compareStates(task.status.state, 'assigned') < 0 || (task.desiredState === 'remove' && hasEnded(task)))

/**
 * Takes away what nobody needs to see any more: tasks that were to be removed and have ended, those that never came
 * to a node, and, of each slot, all but the newest few. Of slots that are no more (`kept` lacks them) nothing stays.
 */
export function reap(plan: Plan, slots: Iterable<Slot>, kept: ReadonlySet<Slot>): void {
  const limit = plan.view.taskHistoryLimit
  for (const slot of slots) {
    const history: Task[] = []
    for (const task of slot.tasks) {
      if (isRemovable(task)) plan.drop(task)
      else if (!isWanted(task) && hasEnded(task) && !isEvidence(plan, task)) history.push(task)
    }
    if (!kept.has(slot)) for (const task of history) plan.drop(task)
    else if (limit >= 0) {
      // One place is the running task's.
      const keep = Math.max(0, limit - (slot.wanted.length > 0 ? 1 : 0))
      for (const task of history.slice(0, Math.max(0, history.length - keep))) plan.drop(task)
    }
  }
}
