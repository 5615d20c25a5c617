import { compareStates, mayTransition } from '#model/task-state.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { Instant } from '#lib/clock.ts'

/**
 * A task with what its agent saw of it, or undefined where that says nothing new. A task's state only grows:
 * of two observations the later state is right, whichever arrives last, so repeated and delayed reports
 * are harmless.
 */
export function mergeStatus(task: Task, seen: TaskStatus, now: Instant): Task | undefined {
  const order = compareStates(seen.state, task.status.state)
  if (order < 0) return undefined
  if (order > 0 && !mayTransition('agent', task.status.state, seen.state)) return undefined
  if (order === 0 && sameStatus(task.status, seen)) return undefined
  return { ...task, meta: { ...task.meta, updatedAt: now }, status: seen }
}

function sameStatus(a: TaskStatus, b: TaskStatus): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
