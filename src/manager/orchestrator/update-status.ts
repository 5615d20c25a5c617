import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { UpdatePolicy } from '#model/service.ts'
import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { updateDeadlineMs } from '#model/update-deadline.ts'
import type { Plan } from './plan.ts'
import { isWanted } from './service-view.ts'
import type { Slot } from './slots.ts'

/** How far an update has come. */
export interface UpdateProgress {
  readonly slots: readonly Slot[]
  /** Slots that have no task of the new spec yet. */
  readonly stale: readonly Slot[]
  /** How many have one that is on its way. */
  readonly moving: number
}

/** A task that this update made (or gave new files), as opposed to one that replaces it later. */
export const isUpdateTask = (plan: Plan, task: Task): boolean =>
  isRefreshed(plan, task) ||
  (task.cause === 'update' && task.serviceGeneration === plan.service.meta.generation)

const isRefreshed = (plan: Plan, task: Task): boolean =>
  task.refresh?.generation === plan.service.meta.generation

/** It was given new files and its agent has not said yet that they are there. */
export const awaitsFiles = (task: Task): boolean =>
  task.refresh !== undefined && task.status.files?.generation !== task.refresh.generation

/** When the task came up, or ended without; of one that was given new files, when it had them. */
export const upAt = (task: Task): Instant =>
  (task.refresh === undefined ? undefined : task.status.files?.at) ??
  task.status.containers[0]?.startedAt ??
  task.status.since

/**
 * Starts, completes, pauses or rolls back the update as its tasks require, and says whether replacing may go on.
 * Words and order of states are Swarm's, since clients follow an update by them.
 */
export function judgeUpdate(
  plan: Plan,
  policy: Required<UpdatePolicy>,
  progress: UpdateProgress,
): 'go-on' | 'stop' {
  const { service } = plan
  const status = service.status.update
  if (status === undefined) {
    if (progress.stale.length > 0)
      plan.setUpdate({ state: 'updating', startedAt: plan.now, message: 'update in progress' })
    return 'go-on'
  }
  if (status.state !== 'updating' && status.state !== 'rollback_started') return 'go-on'
  const failed = firstBeyondRatio(plan, policy, progress)
  if (failed !== undefined) return act(plan, policy, failed)
  if (progress.stale.some((slot) => !isGivenUp(plan, slot)) || progress.moving > 0) return 'go-on'
  complete(plan, policy, progress.slots)
  return 'go-on'
}

/** Its new task failed and may not be tried again: the update does not wait for it. */
const isGivenUp = (plan: Plan, slot: Slot): boolean =>
  slot.tasks.some((task) => isUpdateTask(plan, task) && isEnded(task)) && slot.wanted.length > 0

/** The failure that was one too many. Swarm's measure: failures among the tasks the update made, by its slots. */
function firstBeyondRatio(
  plan: Plan,
  policy: Required<UpdatePolicy>,
  { slots, stale }: UpdateProgress,
): Task | undefined {
  if (policy.failureAction === 'continue') return undefined
  const concerned = new Set(stale)
  const failures: Task[] = []
  for (const slot of slots)
    for (const task of slot.tasks) {
      if (!isUpdateTask(plan, task)) continue
      concerned.add(slot)
      if (failedEarly(task, policy.monitorMs) || isOverdue(plan, task)) failures.push(task)
    }
  if (failures.length === 0 || failures.length / concerned.size <= policy.maxFailureRatio) return undefined
  return failures.sort((a, b) => a.status.since - b.status.since).at(-1)
}

/** It should have come up by now. One that can be placed nowhere, or pulls for ever, holds up no update for ever. */
export function isOverdue(plan: Plan, task: Task): boolean {
  if (compareStates(task.status.state, 'running') >= 0 || !isUpdateTask(plan, task)) return false
  const until = instant(task.meta.createdAt + updateDeadlineMs(plan.service.spec.labels))
  if (until > plan.now && isWanted(task)) plan.wake(until)
  return until <= plan.now
}

/** Ended by itself, before or within the time it is watched. What the manager stopped is `shutdown`. */
function failedEarly(task: Task, monitorMs: number): boolean {
  const { state, since, containers, files } = task.status
  if (files?.error !== undefined && files.generation === task.refresh?.generation) return true
  if (state !== 'failed' && state !== 'rejected' && state !== 'complete') return false
  if (containers[0]?.startedAt === undefined) return true
  return since - upAt(task) <= monitorMs
}

function act(plan: Plan, policy: Required<UpdatePolicy>, failed: Task): 'stop' {
  const { service } = plan
  const { previousSpec, previousGeneration: _, update, ...status } = service.status
  const why = `due to failure or early termination of task ${failed.meta.id}`
  const rollingBack = update?.state === 'rollback_started'
  if (policy.failureAction === 'rollback' && !rollingBack && previousSpec !== undefined)
    plan.change({
      ...service,
      meta: { ...service.meta, generation: service.meta.generation + 1, labels: previousSpec.labels },
      spec: previousSpec,
      status: {
        ...status,
        update: { ...update, state: 'rollback_started', message: `update rolled back ${why}` },
      },
    })
  else
    plan.setUpdate({
      ...update,
      state: rollingBack ? 'rollback_paused' : 'paused',
      message: `${rollingBack ? 'rollback' : 'update'} paused ${why}`,
    })
  return 'stop'
}

/** Complete once all that the update made has been watched for as long as the policy says. */
function complete(plan: Plan, policy: Required<UpdatePolicy>, slots: readonly Slot[]): void {
  // A delay longer than that is waited for as well: Swarm's rule.
  const watchMs = policy.delayMs >= policy.monitorMs ? policy.delayMs + 1_000 : policy.monitorMs
  let until = 0
  for (const slot of slots)
    for (const task of slot.tasks) if (isUpdateTask(plan, task)) until = Math.max(until, upAt(task) + watchMs)
  if (until > plan.now) {
    plan.wake(instant(until))
    return
  }
  const update = plan.service.status.update
  const rollingBack = update?.state === 'rollback_started'
  plan.setUpdate({
    ...update,
    state: rollingBack ? 'rollback_completed' : 'completed',
    completedAt: plan.now,
    message: rollingBack ? 'rollback completed' : 'update completed',
  })
}

const isEnded = (task: Task): boolean => compareStates(task.status.state, 'running') > 0

/** While an update counts failures, the tasks that failed are kept, whatever the history's limit. */
export function isEvidence(plan: Plan, task: Task): boolean {
  const state = plan.service.status.update?.state
  return (state === 'updating' || state === 'rollback_started') && isUpdateTask(plan, task)
}
