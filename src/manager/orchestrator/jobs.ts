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

/**
 * Runs the tasks of a replicated job, so many at a time, until so many are complete. Slots are 0…N-1, each for one
 * completion; a slot whose policy allows no more attempts stays failed.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#running-as-a-job
 */
export function reconcileReplicatedJob(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(view, service, env)
  const { mode } = service.spec
  const concurrent = mode.type === 'replicated-job' ? (mode.maxConcurrent ?? 1) : 0
  const total = mode.type === 'replicated-job' ? (mode.totalCompletions ?? concurrent) : 0
  const slots = slotsByNumber(ofThisIteration(plan))
  for (const slot of slots.values()) if (!isComplete(slot)) tendSlot(plan, slot)
  const busy = [...slots.values()].filter((slot) => slot.wanted.length > 0 && !isComplete(slot)).length
  const closed = [...slots.values()].filter((slot) => isComplete(slot) || isSpent(plan, slot)).length
  let missing = Math.min(concurrent - busy, total - closed - busy)
  for (let number = 0; missing > 0 && number < total; number++) {
    const slot = slots.get(number)
    if (slot !== undefined && (slot.wanted.length > 0 || isComplete(slot) || isSpent(plan, slot))) continue
    missing -= 1
    plan.add({ slot: number, desiredState: 'complete' }, 'the job has work left')
  }
  trim(plan, slots.values())
  return plan.verdict()
}

/** Runs a global job's task once on every node that may have it, and on those that come later. */
export function reconcileGlobalJob(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(view, service, env)
  const slots = slotsByNode(ofThisIteration(plan))
  for (const node of view.nodes()) {
    const slot = slots.get(node.meta.id)
    if (slot !== undefined && !isComplete(slot)) tendSlot(plan, slot)
    const done = slot !== undefined && (slot.wanted.length > 0 || isComplete(slot) || isSpent(plan, slot))
    if (!done && mayHave(node, service))
      plan.add(
        { slot: 0, nodeId: node.meta.id, desiredState: 'complete' },
        'the node has not run the job yet',
      )
  }
  for (const slot of slots.values())
    if (view.node(slot.nodeId) === undefined)
      for (const task of slot.wanted)
        if (!hasEnded(task)) plan.desire(task, 'shutdown', 'its node was removed')
  trim(plan, slots.values())
  return plan.verdict()
}

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
