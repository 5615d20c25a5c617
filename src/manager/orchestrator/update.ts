import { instant } from '#lib/clock.ts'
import { update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import { effectiveUpdate } from '#model/defaults.ts'
import type { Service, UpdatePolicy, UpdateState, UpdateStatus } from '#model/service.ts'
import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { isUpToDate } from '#model/up-to-date.ts'
import { newTask } from './new-task.ts'
import { hasEnded } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import type { Slot } from './slots.ts'
import type { Plan } from './slot-plan.ts'

/**
 * Replaces what is not of the present spec, as many slots at a time as the policy allows. All it knows is in the
 * service's update status and in the tasks themselves, so that another leader goes on where this one stopped.
 * Answers the change of the service's own status, if there is one.
 */
export function planUpdate(
  plan: Plan,
  view: ServiceView,
  service: Service,
  slots: readonly Slot[],
): Change | undefined {
  const { now } = plan.env
  const dirty = slots.filter((slot) => slot.wanted.some((task) => !isUpToDate(task, service)))
  const status = service.status.update
  if (status === undefined || status.state === 'completed' || status.state === 'rollback_completed') {
    if (dirty.length === 0) return undefined
    step(plan, service, slots, dirty, effectiveUpdate(service.spec.update))
    return setStatus(service, plan, { state: 'updating', startedAt: now, message: 'update in progress' })
  }
  if (status.state === 'paused' || status.state === 'rollback_paused') return undefined
  const rollingBack = status.state === 'rollback_started'
  const policy = effectiveUpdate(rollingBack ? service.spec.rollback : service.spec.update)
  const failed = failures(view, service, status, policy.monitorMs)
  if (failed.length / Math.max(1, slots.length) > policy.maxFailureRatio) {
    const outcome = onFailure(plan, service, status, policy, failed[0])
    if (outcome !== 'continue') return outcome
  }
  if (dirty.length > 0) {
    step(plan, service, slots, dirty, policy)
    return undefined
  }
  return finish(plan, service, slots, status, policy, rollingBack)
}

/** Starts on the next slots: those under way count against the parallelism. */
function step(
  plan: Plan,
  service: Service,
  slots: readonly Slot[],
  dirty: readonly Slot[],
  policy: Required<UpdatePolicy>,
): void {
  const { now } = plan.env
  const fresh = slots.map((slot) => slot.wanted.find((task) => isUpToDate(task, service)))
  const underWay = slots.filter((slot, index) => {
    const task = fresh[index]
    return task !== undefined && task.status.state !== 'running' && !hasEnded(task) && slot.tasks.length > 1
  }).length
  const startFirst = policy.order === 'start-first'
  for (const slot of dirty) {
    const ready = slot.wanted.find((task) => isUpToDate(task, service) && task.status.state === 'running')
    if (ready === undefined) continue
    for (const task of slot.wanted)
      if (!isUpToDate(task, service)) plan.desire(task, 'shutdown', 'its replacement runs')
  }
  const untouched = dirty.filter((slot) => slot.wanted.every((task) => !isUpToDate(task, service)))
  const limit = policy.parallelism === 0 ? untouched.length : policy.parallelism - underWay
  if (limit <= 0) return
  const lastStart = Math.max(
    0,
    ...fresh.map((task) => (task?.status.state === 'running' ? task.status.since : 0)),
  )
  if (policy.delayMs > 0 && lastStart > 0 && now < lastStart + policy.delayMs) {
    plan.wake(instant(lastStart + policy.delayMs))
    return
  }
  for (const slot of untouched.slice(0, limit)) replace(plan, service, slot, startFirst)
}

function replace(plan: Plan, service: Service, slot: Slot, startFirst: boolean): void {
  const [first] = slot.wanted
  const nodeId = slot.number === 0 && first !== undefined && first.nodeId !== '' ? first.nodeId : undefined
  const task = newTask(
    service,
    {
      slot: slot.number,
      desiredState: startFirst ? 'running' : 'ready',
      ...(nodeId === undefined ? {} : { nodeId }),
    },
    plan.env,
  )
  plan.add(task, 'the service was updated')
  if (startFirst) return
  for (const old of slot.wanted) plan.desire(old, 'shutdown', 'the service was updated')
}

/** Tasks of the new spec that failed within the time they were watched. */
function failures(view: ServiceView, service: Service, status: UpdateStatus, monitorMs: number): Task[] {
  return view.tasks.filter((task) => {
    if (task.serviceGeneration !== service.meta.generation) return false
    if (task.meta.createdAt < (status.startedAt ?? 0)) return false
    if (task.status.state !== 'failed' && task.status.state !== 'rejected') return false
    const startedAt = task.status.containers[0]?.startedAt ?? task.meta.createdAt
    return task.status.since - startedAt <= monitorMs
  })
}

function onFailure(
  plan: Plan,
  service: Service,
  status: UpdateStatus,
  policy: Required<UpdatePolicy>,
  task: Task | undefined,
): Change | 'continue' {
  const { now } = plan.env
  const why = `early termination of task ${task?.meta.id ?? ''}`
  const rollingBack = status.state === 'rollback_started'
  if (policy.failureAction === 'continue') return 'continue'
  if (policy.failureAction === 'rollback' && !rollingBack && service.status.previousSpec !== undefined) {
    const { previousSpec } = service.status
    return update({
      ...service,
      meta: {
        ...service.meta,
        generation: service.meta.generation + 1,
        updatedAt: now,
        labels: previousSpec.labels,
      },
      spec: previousSpec,
      status: {
        ...service.status,
        previousSpec: service.spec,
        update: {
          state: 'rollback_started',
          startedAt: now,
          message: `update rolled back due to failure or ${why}`,
        },
      },
    })
  }
  const state: UpdateState = rollingBack ? 'rollback_paused' : 'paused'
  const what = rollingBack ? 'rollback paused' : 'update paused'
  return setStatus(service, plan, { ...status, state, message: `${what} due to failure or ${why}` })
}

/** Complete once every slot runs the new spec and has been watched for as long as the policy says. */
function finish(
  plan: Plan,
  service: Service,
  slots: readonly Slot[],
  status: UpdateStatus,
  policy: Required<UpdatePolicy>,
  rollingBack: boolean,
): Change | undefined {
  const { now } = plan.env
  const newest = slots.flatMap((slot) => slot.wanted.at(-1) ?? [])
  if (newest.some((task) => compareStates(task.status.state, 'running') < 0)) return undefined
  const watchedUntil = Math.max(
    0,
    ...newest
      .filter((task) => task.meta.createdAt >= (status.startedAt ?? 0))
      .map((task) => task.status.since + policy.monitorMs),
  )
  if (watchedUntil > now) {
    plan.wake(instant(watchedUntil))
    return undefined
  }
  return setStatus(service, plan, {
    ...status,
    state: rollingBack ? 'rollback_completed' : 'completed',
    completedAt: now,
    message: rollingBack ? 'rollback completed' : 'update completed',
  })
}

function setStatus(service: Service, plan: Plan, status: UpdateStatus): Change {
  return update({
    ...service,
    meta: { ...service.meta, updatedAt: plan.env.now },
    status: { ...service.status, update: status },
  })
}
