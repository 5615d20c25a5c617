import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { effectiveRestart } from '#model/defaults.ts'
import type { Task } from '#model/task.ts'

export type RestartDecision =
  | { readonly restart: false; readonly reason: string }
  | { readonly restart: true; readonly startAfter: Instant; readonly restarts: NonNullable<Task['restarts']> }

/**
 * Whether a task that has ended is followed by another in its slot, and when. The count of restarts rides on the
 * replacement, since old tasks are trimmed and a new leader must count the same.
 */
export function decideRestart(task: Task, now: Instant): RestartDecision {
  const policy = effectiveRestart(task.spec.restart)
  const { state } = task.status
  if (policy.condition === 'none') return { restart: false, reason: 'the restart policy is "none"' }
  if (policy.condition === 'on-failure' && state === 'complete')
    return { restart: false, reason: 'it completed, and the restart policy is "on-failure"' }
  const before = task.restarts ?? { count: 0, at: [] }
  if (policy.maxAttempts > 0) {
    const since = policy.windowMs > 0 ? now - policy.windowMs : 0
    const counted = policy.windowMs > 0 ? before.at.filter((at) => at > since).length : before.count
    if (counted >= policy.maxAttempts)
      return {
        restart: false,
        reason: `it was restarted ${String(counted)} times, as often as its policy allows`,
      }
  }
  // Of the moments only as many are kept as the policy can count.
  const at = [...before.at, now].slice(-Math.max(1, policy.maxAttempts))
  return {
    restart: true,
    startAfter: instant(Math.max(now, task.status.since + policy.delayMs)),
    restarts: { count: before.count + 1, at },
  }
}

/** A replacement for a reason that is not the task's fault: its restarts are as before, and it need not wait. */
export const replaceNow = (task: Task, now: Instant): Extract<RestartDecision, { restart: true }> => ({
  restart: true,
  startAfter: now,
  restarts: task.restarts ?? { count: 0, at: [] },
})
