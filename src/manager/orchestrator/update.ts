import { effectiveUpdate } from '#model/defaults.ts'
import { isExclusive } from '#model/exclusive.ts'
import type { UpdatePolicy } from '#model/service.ts'
import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { instant } from '#lib/clock.ts'
import type { Plan } from './plan.ts'
import { decideRestart } from './restart.ts'
import { predecessorInTheWay } from '#model/scheduling.ts'
import { hasEnded, misplacement } from './service-view.ts'
import type { Slot } from './slots.ts'
import { isUnplaceable } from './unplaceable.ts'
import { awaitsFiles, isOverdue, isUpdateTask, judgeUpdate, upAt } from './update-status.ts'

/** A deploy gives several secrets new data one after the other, and the service a new spec: one roll does for all. */
const settleMs = 1_000

/**
 * Replaces what is not of the present spec, as many slots at a time as the policy allows. All it knows is in the
 * service's update status and in the tasks themselves, so that another leader goes on where this one stopped.
 *
 * 1. A slot that has begun is finished, also when the update is paused meanwhile.
 * 2. Stop-first: the new task is made ready (its image pulled) before the old one is told to stop, and starts after it
 *    has. Where it cannot get ready beside the old one (a port, resources), the old one stops first.
 * 3. Start-first: the old one stops once the new one runs, or when the scheduler finds that the new one fits nowhere
 *    but in its place.
 * 4. An old task that still runs is not given up for a new one that failed.
 * 5. Where new secrets or configs are all there is, and the service wants it so, the same tasks get the new files.
 */
export function planUpdate(plan: Plan, slots: readonly Slot[]): void {
  const state = plan.service.status.update?.state
  const policy = effectiveUpdate(
    state === 'rollback_started' ? plan.service.spec.rollback : plan.service.spec.update,
  )
  const stale: Slot[] = []
  let moving = 0
  for (const slot of slots) {
    const unended = slot.wanted.filter((task) => !hasEnded(task))
    const live = unended.filter((task) => !plan.touches(task))
    const old = live.filter((task) => !plan.isClean(task))
    const fresh = live.find((task) => plan.isClean(task))
    if (fresh !== undefined) {
      if (old.length > 0) concludePair(plan, policy, old, fresh)
    } else if (isStale(plan, slot, old)) stale.push(slot)
    // Also one that was told to start a moment ago, in this very turn.
    const coming = unended.find((task) => plan.isClean(task))
    if (coming !== undefined && isUpdateTask(plan, coming) && isMoving(plan, policy, coming)) moving += 1
  }
  if (state === 'paused' || state === 'rollback_paused') return
  if (judgeUpdate(plan, policy, { slots, stale, moving }) === 'stop') return
  if (stale.length > 0 && isSettling(plan)) return
  replaceStale(plan, policy, stale, policy.parallelism === 0 ? Infinity : policy.parallelism - moving)
}

function isSettling(plan: Plan): boolean {
  const { rotated } = plan.service.status
  if (rotated?.generation !== generation(plan)) return false
  const until = instant(rotated.at + settleMs)
  if (until > plan.now) plan.wake(until)
  return until > plan.now
}

/** Old tasks and no new one; or nothing that is to run any more (its policy forbids), of an old spec. */
function isStale(plan: Plan, slot: Slot, old: readonly Task[]): boolean {
  if (plan.isRefilled(slot)) return false
  return old.length > 0 || (slot.wanted.length === 0 && !plan.isClean(slot.newest))
}

/** It has not come up yet, or the delay after it did is not over. */
function isMoving(plan: Plan, policy: Required<UpdatePolicy>, fresh: Task): boolean {
  if (compareStates(fresh.status.state, 'running') < 0) return !isOverdue(plan, fresh)
  if (awaitsFiles(fresh)) return true
  const until = instant(upAt(fresh) + policy.delayMs)
  if (until <= plan.now) return false
  plan.wake(until)
  return true
}

function concludePair(plan: Plan, policy: Required<UpdatePolicy>, old: readonly Task[], fresh: Task): void {
  const { state } = fresh.status
  const mayStop =
    state === 'running' ||
    // One that only waits for its turn gives it to the new one.
    old.every((task) => task.desiredState === 'ready') ||
    (isKeptOffByOld(fresh) && !isRoomComing(plan)) ||
    (orderOf(plan, policy) === 'stop-first' && (compareStates(state, 'ready') >= 0 || isInTheWay(fresh)))
  if (mayStop) for (const task of old) plan.desire(task, 'shutdown', 'the service was updated')
}

/** The scheduler's own words for what the old task may hold: its port, its resources, its place on the node. */
const isInTheWay = (fresh: Task): boolean =>
  isUnplaceable(fresh) && /insufficient resources|host-mode port|max replicas/.test(fresh.status.error)

/** It would start beside the old one and fits nowhere, but in that one's place. */
const isKeptOffByOld = (fresh: Task): boolean =>
  isUnplaceable(fresh) && fresh.status.error.includes(predecessorInTheWay)

/** Something of the service is stopping already: what it gives back may be enough. */
const isRoomComing = (plan: Plan): boolean =>
  plan.view.tasks.some(
    (task) =>
      task.nodeId !== '' && plan.stops(task) && !hasEnded(task) && misplacement(task, plan.view) !== 'lost',
  )

function orderOf(plan: Plan, policy: Required<UpdatePolicy>): Required<UpdatePolicy>['order'] {
  return isExclusive(plan.service.spec) ? 'stop-first' : policy.order
}

function replaceStale(
  plan: Plan,
  policy: Required<UpdatePolicy>,
  stale: readonly Slot[],
  limit: number,
): void {
  let left = limit
  // What does not run anyway loses nothing by going first.
  const runs = (slot: Slot) => Number(slot.wanted.some((task) => task.status.state === 'running'))
  for (const slot of [...stale].sort((a, b) => runs(a) - runs(b) || a.number - b.number)) {
    const failed = slot.tasks.findLast(
      (task) => hasEnded(task) && task.serviceGeneration === generation(plan),
    )
    if (failed !== undefined && slot.wanted.length > 0) tryAgain(plan, policy, slot, failed)
    else if (left > 0) {
      left -= 1
      replace(plan, policy, slot, { cause: 'update' })
    }
  }
}

const generation = (plan: Plan): number => plan.service.meta.generation

/** The new task failed while the old one runs on: another attempt is a restart, with its delay and its limits. */
function tryAgain(plan: Plan, policy: Required<UpdatePolicy>, slot: Slot, failed: Task): void {
  const decision = decideRestart(failed, plan.now)
  if (!decision.restart) return
  if (decision.startAfter > plan.now) plan.wake(decision.startAfter)
  else replace(plan, policy, slot, { cause: 'restart', restarts: decision.restarts })
}

function replace(
  plan: Plan,
  policy: Required<UpdatePolicy>,
  slot: Slot,
  options: Pick<Task, 'cause' | 'restarts'>,
): void {
  const [only, ...others] = slot.wanted
  if (only !== undefined && others.length === 0 && plan.canRefresh(only)) {
    plan.refresh(only)
    return
  }
  const waits = orderOf(plan, policy) === 'stop-first' && slot.wanted.length > 0
  const predecessor = slot.wanted.find((task) => task.nodeId !== '')
  plan.add(
    {
      slot: slot.number,
      nodeId: slot.nodeId,
      desiredState: waits ? 'ready' : 'running',
      ...(predecessor?.nodeId
        ? { succeeds: { taskId: predecessor.meta.id, nodeId: predecessor.nodeId } }
        : {}),
      ...options,
    },
    'the service was updated',
    slot,
  )
}
