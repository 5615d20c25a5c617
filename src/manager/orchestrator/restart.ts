import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { effectiveRestart } from '#model/defaults.ts'
import type { Task } from '#model/task.ts'

export type RestartDecision =
  | { readonly restart: false; readonly reason: string }
  | { readonly restart: true; readonly startAfter: Instant; readonly restarts: NonNullable<Task['restarts']> }

/**
 * Whether a task that has ended is followed by another in its slot, and when. The count of restarts rides on the
 * replacement, since old tasks are trimmed and a new leader must count the same. A job that is complete is never
 * restarted: for it, `any` means `on-failure`.
 */
export function decideRestart(task: Task, now: Instant, isJob = false): RestartDecision {
  const policy = effectiveRestart(task.spec.restart)
  if (policy.condition === 'none') return { restart: false, reason: 'the restart policy is "none"' }
  if (task.status.state === 'complete' && (policy.condition === 'on-failure' || isJob))
    return { restart: false, reason: `it completed, and the restart policy is "${policy.condition}"` }
  const before = task.restarts ?? { count: 0, at: [] }
  const quick = endedSoon(task) ? (before.quick ?? 0) + 1 : 0
  if (policy.maxAttempts > 0) {
    const attempts =
      policy.windowMs > 0
        ? before.at.filter((at) => at > task.status.since - policy.windowMs).length
        : before.count
    if (attempts >= policy.maxAttempts)
      return {
        restart: false,
        reason: `it was restarted ${String(attempts)} times, as often as its policy allows`,
      }
  }
  // Of the moments only as many are kept as the policy can count.
  const at =
    policy.maxAttempts > 0 && policy.windowMs > 0 ? [...before.at, now].slice(-policy.maxAttempts) : []
  return {
    restart: true,
    startAfter: instant(Math.max(now, task.status.since + delayAfter(quick, policy.delayMs))),
    restarts: { count: before.count + 1, at, ...(quick === 0 ? {} : { quick }) },
  }
}

/** Having run for so long, a task has worked: what it ends of is another matter than what went before. */
const ranWellMs = 10_000
const firstBackOffMs = 100
/** Docker's own delay where a policy names none: from there on the policy's word is kept to the letter. */
const mostBackOffMs = 5_000

function endedSoon({ status: { state, since, containers } }: Task): boolean {
  if (state === 'complete') return false
  const startedAt = containers[0]?.startedAt
  return startedAt === undefined || since - startedAt < ranWellMs
}

/**
 * The policy's delay; of a task that fails over and over with a small one, twice as long each time, up to Docker's default, so
 * that it keeps no host busy.
 */
export function delayAfter(quick: number, delayMs: number): number {
  if (quick < 2) return delayMs
  return Math.max(delayMs, Math.min(mostBackOffMs, firstBackOffMs * 2 ** Math.min(quick - 2, 10)))
}

/**
 * A task that lost its place is replaced at once: it is not its fault, so there is no delay and no count. One that
 * was to run only once ("none") is not replaced, as in Swarm.
 */
export function decideMove(task: Task, now: Instant): RestartDecision {
  if (effectiveRestart(task.spec.restart).condition === 'none')
    return { restart: false, reason: 'the restart policy is "none"' }
  return { restart: true, startAfter: now, restarts: task.restarts ?? { count: 0, at: [] } }
}
