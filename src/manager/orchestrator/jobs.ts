import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { Environment, Verdict } from '../verdict.ts'
import { mayHave } from './global.ts'
import { Plan } from './plan.ts'
import { isRemovable } from './reaper.ts'
import { hasEnded, isWanted } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { isSpent } from './spent.ts'
import { slotsByNode, slotsByNumber } from './slots.ts'
import type { Slot } from './slots.ts'
import { tendSlot } from './tend-slot.ts'

/** How much of a replicated job's work is done, and how many do it at a time. */
export interface Workload {
  readonly concurrent: number
  readonly total: number
  /** Of the slots. */
  readonly firstNumber: number
}

/**
 * Runs the tasks of a replicated job, so many at a time, until so many are complete. Slots are 0…N-1, each for one
 * completion; a slot whose policy allows no more attempts stays failed.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#running-as-a-job
 */
export function reconcileReplicatedJob(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(view, service, env)
  runReplicated(plan, ofThisIteration(plan), workloadOf(service), service.status.job?.iteration)
  return plan.verdict()
}

/** Runs a global job's task once on every node that may have it, and on those that come later. */
export function reconcileGlobalJob(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(view, service, env)
  runGlobal(plan, ofThisIteration(plan), service.status.job?.iteration)
  return plan.verdict()
}

export function workloadOf({ spec: { mode } }: Service): Workload {
  if (mode.type === 'replicated-job') {
    const concurrent = mode.maxConcurrent ?? 1
    return { concurrent, total: mode.totalCompletions ?? concurrent, firstNumber: 0 }
  }
  const replicas = mode.type === 'replicated' ? (mode.replicas ?? 1) : 0
  return { concurrent: replicas, total: replicas, firstNumber: 1 }
}

/** What has become of a run. A failed one has no attempts left and did not do all of its work. */
export type RunState = 'running' | 'complete' | 'failed'

/** One step of a run that has these tasks. */
export function runReplicated(
  plan: Plan,
  tasks: readonly Task[],
  { concurrent, total, firstNumber }: Workload,
  iteration: number | undefined,
): RunState {
  const slots = slotsByNumber(tasks)
  for (const slot of slots.values()) if (!isComplete(slot)) tendSlot(plan, slot)
  const busy = [...slots.values()].filter((slot) => slot.wanted.length > 0 && !isComplete(slot)).length
  const complete = [...slots.values()].filter(isComplete).length
  const closed = [...slots.values()].filter((slot) => isComplete(slot) || isSpent(plan, slot)).length
  let missing = Math.min(concurrent - busy, total - closed - busy)
  for (let number = firstNumber; missing > 0 && number < firstNumber + total; number++) {
    const slot = slots.get(number)
    if (slot !== undefined && (slot.wanted.length > 0 || isComplete(slot) || isSpent(plan, slot))) continue
    missing -= 1
    plan.add({ slot: number, desiredState: 'complete', ...iterationOf(iteration) }, 'the job has work left')
  }
  trim(plan, slots.values())
  if (closed < total) return 'running'
  return complete < total ? 'failed' : 'complete'
}

/** One step of a run on every node that may have it. */
export function runGlobal(plan: Plan, tasks: readonly Task[], iteration: number | undefined): RunState {
  const slots = slotsByNode(tasks)
  let isRunning = false
  let hasFailed = false
  for (const node of plan.view.nodes()) {
    const slot = slots.get(node.meta.id)
    if (slot !== undefined && !isComplete(slot)) tendSlot(plan, slot)
    if (slot !== undefined && !isComplete(slot) && isSpent(plan, slot)) hasFailed = true
    const isClosed = slot !== undefined && (isComplete(slot) || isSpent(plan, slot))
    const isWanting = slot !== undefined && slot.wanted.length > 0 && !isComplete(slot)
    const isMissing = !isClosed && !isWanting && mayHave(node, plan.service)
    if (isWanting || isMissing) isRunning = true
    if (isMissing)
      plan.add(
        { slot: 0, nodeId: node.meta.id, desiredState: 'complete', ...iterationOf(iteration) },
        'the node has not run the job yet',
      )
  }
  for (const slot of slots.values())
    if (plan.view.node(slot.nodeId) === undefined)
      for (const task of slot.wanted)
        if (!hasEnded(task)) plan.desire(task, 'shutdown', 'its node was removed')
  trim(plan, slots.values())
  return isRunning ? 'running' : hasFailed ? 'failed' : 'complete'
}

const iterationOf = (iteration: number | undefined) =>
  iteration === undefined ? {} : { jobIteration: iteration }

const isComplete = (slot: Slot): boolean => slot.tasks.some((task) => task.status.state === 'complete')

/** Tasks of earlier runs are taken away; those of the present one are answered. */
function ofThisIteration(plan: Plan): Task[] {
  const iteration = plan.service.status.job?.iteration ?? 0
  return plan.view.tasks.filter((task) => {
    if ((task.jobIteration ?? 0) === iteration) return true
    plan.desire(task, 'remove', 'the job was run again')
    if (isRemovable(task)) plan.drop(task)
    return false
  })
}

/** What is complete is the job's result and stays; of failed attempts the newest few do. */
function trim(plan: Plan, slots: Iterable<Slot>): void {
  const limit = plan.view.taskHistoryLimit
  for (const slot of slots) {
    const failed = slot.tasks.filter(
      (task) => !isWanted(task) && hasEnded(task) && task.status.state !== 'complete',
    )
    for (const task of slot.tasks) if (isRemovable(task)) plan.drop(task)
    if (limit >= 0)
      for (const task of failed.slice(0, Math.max(0, failed.length - Math.max(0, limit - 1)))) plan.drop(task)
  }
}
