import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { isExclusive } from '#model/exclusive.ts'
import { stopGracePeriodDefaultMs } from '#model/defaults.ts'
import type { Task, TaskCause } from '#model/task.ts'
import { movingPair } from './moving-pair.ts'
import type { Plan } from './plan.ts'
import { decideMove, decideRestart } from './restart.ts'
import { hasEnded, isWanted, misplacement } from './service-view.ts'
import type { Slot } from './slots.ts'
import { isUnplaceable } from './unplaceable.ts'

/** How long beyond its grace period a task may take to stop before its successor starts regardless. Swarm's number. */
const stopTimeoutMs = 60_000

/**
 * Keeps one slot at one running task: what has ended is replaced by its policy, what lost its place at once, and a
 * replacement starts when its time has come.
 *
 * 1. A slot is given at most one task in a turn, and only when it has no live task in a good place.
 * 2. A task on a drained node stops when its replacement runs, or cannot be placed at all (start-first).
 * 3. A replacement that waits (`ready`) goes on after its delay, once what it replaces has stopped.
 */
export function tendSlot(plan: Plan, slot: Slot): void {
  const good: Task[] = []
  const drained: Task[] = []
  for (const task of slot.wanted) {
    if (hasEnded(task)) {
      plan.desire(task, 'shutdown', `the task ended: ${task.status.state}`)
      continue
    }
    const place = misplacement(task, plan.view)
    if (place === undefined) good.push(task)
    else if (place === 'drained' && mayStartFirst(plan, slot, task)) drained.push(task)
    else plan.desire(task, 'shutdown', `its node is ${place}`)
  }
  if (good.length > 0) {
    const kept = keepOne(plan, good)
    const [only] = kept
    const settled = good.some((task) => task.status.state === 'running') || good.every(isUnplaceable)
    if (settled) stopAll(plan, drained, 'its node is drained')
    if (kept.length === 1 && only !== undefined) release(plan, slot, only)
  } else if (!refill(plan, slot, drained.length > 0)) stopAll(plan, drained, 'its node is drained')
}

function mayStartFirst(plan: Plan, slot: Slot, task: Task): boolean {
  // A global task has nowhere else to go, and a job's work is not to be done twice.
  if (slot.nodeId !== '' || plan.isJob || isExclusive(plan.service.spec)) return false
  return plan.view.drainOrder === 'start-first' && task.status.state === 'running'
}

const stopAll = (plan: Plan, tasks: readonly Task[], why: string): void => {
  for (const task of tasks) plan.desire(task, 'shutdown', why)
}

/**
 * Of several live tasks (a drained node came back before its task had stopped) one stays: one that runs, else the
 * oldest. A task of the old spec beside one of the new is an update on its way, which is not decided here.
 */
function keepOne(plan: Plan, good: readonly Task[]): Task[] {
  if (good.length === 1) return [...good]
  const pair = movingPair(plan, good)
  if (pair !== undefined) {
    if (pair.stops !== undefined) plan.desire(pair.stops, 'shutdown', pair.why)
    return [...pair.stays]
  }
  const kept: Task[] = []
  for (const group of [
    good.filter((task) => plan.isClean(task)),
    good.filter((task) => !plan.isClean(task)),
  ]) {
    const best = group.find((task) => task.status.state === 'running') ?? group[0]
    if (best !== undefined) kept.push(best)
    stopAll(
      plan,
      group.filter((task) => task !== best),
      'another task has its slot',
    )
  }
  return kept
}

/** Gives the slot another task, if its policy allows; false: it does not. */
function refill(plan: Plan, slot: Slot, beside: boolean): boolean {
  const last = slot.wanted.at(-1)
  if (last === undefined) return true
  const cause: TaskCause = hasEnded(last) && last.status.state !== 'orphaned' ? 'restart' : 'move'
  if (cause === 'move' && slot.nodeId !== '') return false
  const decision =
    cause === 'restart' ? decideRestart(last, plan.now, plan.isJob) : decideMove(last, plan.now)
  if (!decision.restart) {
    plan.explain(last, `not replaced: ${decision.reason}`)
    return false
  }
  const delayed = decision.startAfter > plan.now
  const waits = delayed || (!beside && stopping(plan, slot).length > 0)
  plan.add(
    {
      slot: slot.number,
      nodeId: slot.nodeId,
      // It is made ready meanwhile, so that the wait costs nothing more.
      desiredState: waits ? 'ready' : plan.goal,
      cause,
      ...(last.jobIteration === undefined ? {} : { jobIteration: last.jobIteration }),
      // What an older spec did wrong does not count against the present one.
      ...(plan.isClean(last) ? { restarts: decision.restarts } : {}),
      ...(delayed ? { startAfter: decision.startAfter } : {}),
    },
    `replaces ${last.meta.id}`,
    slot,
  )
  return true
}

/** A task that waits to be started goes on once its delay is over and what it replaces has stopped. */
function release(plan: Plan, slot: Slot, task: Task): void {
  if (task.desiredState !== 'ready') return
  const startAfter = task.startAfter ?? instant(0)
  if (startAfter > plan.now) {
    plan.wake(startAfter)
    return
  }
  const until = stopping(plan, slot)
  if (until.length === 0) plan.desire(task, plan.goal, 'its turn has come')
  else plan.wake(instant(Math.max(...until)))
}

/** Until when to wait, at the latest, for each task of the slot that is told to stop and has not yet. */
function stopping(plan: Plan, slot: Slot): Instant[] {
  return slot.tasks.flatMap((task) => {
    if (task.nodeId === '' || hasEnded(task)) return []
    // Told just now, in this very turn, or before.
    const told = plan.touches(task) && isWanted(task) ? plan.now : task.meta.updatedAt
    if (isWanted(task) && !plan.touches(task)) return []
    if (misplacement(task, plan.view) === 'lost') return []
    const graceMs = task.spec.containers[0]?.stopGracePeriodMs ?? stopGracePeriodDefaultMs
    const until = instant(told + graceMs + stopTimeoutMs)
    return until > plan.now ? [until] : []
  })
}
