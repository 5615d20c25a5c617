import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { hasEnded, isWanted } from './service-view.ts'
import { byAge } from './slots.ts'
import type { Plan } from './slot-plan.ts'

/**
 * Takes away what nobody needs to see any more: tasks that were to be removed and have ended, those that never
 * came to a node, and, of each slot, all but the newest few.
 */
export function reap(plan: Plan, tasks: readonly Task[], historyLimit: number): void {
  const history = new Map<string, Task[]>()
  for (const task of tasks) {
    if (isWanted(task)) continue
    if (task.desiredState === 'remove' && hasEnded(task)) plan.drop(task)
    else if (compareStates(task.status.state, 'assigned') < 0) plan.drop(task)
    else if (hasEnded(task)) {
      const key = task.slot > 0 ? String(task.slot) : task.nodeId
      const group = history.get(key)
      if (group === undefined) history.set(key, [task])
      else group.push(task)
    }
  }
  if (historyLimit < 0) return
  for (const group of history.values()) {
    // One place is the running task's.
    const keep = Math.max(0, historyLimit - 1)
    for (const task of group.sort(byAge).slice(0, Math.max(0, group.length - keep))) plan.drop(task)
  }
}
