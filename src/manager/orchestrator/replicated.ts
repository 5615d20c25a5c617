import type { Service } from '#model/service.ts'
import type { Environment, Verdict } from '../verdict.ts'
import { Plan } from './plan.ts'
import { reap } from './reaper.ts'
import { byWorthKeeping } from './scale-down.ts'
import { hasEnded, isWanted } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { isSpent } from './spent.ts'
import { slotsByNumber } from './slots.ts'
import type { Slot } from './slots.ts'
import { tendSlot } from './tend-slot.ts'
import { planUpdate } from './update.ts'

/** Brings a replicated service to its number of running tasks, one in each of the slots 1…N. */
export function reconcileReplicated(view: ServiceView, service: Service, env: Environment): Verdict {
  const replicas = service.spec.mode.type === 'replicated' ? (service.spec.mode.replicas ?? 1) : 0
  const plan = new Plan(view, service, env)
  const slots = slotsByNumber(view.tasks)
  const occupied = [...slots.values()]
    .filter((slot) => slot.wanted.length > 0 || isSpent(plan, slot))
    .sort((a, b) => a.number - b.number)
  const ordered = occupied.length > replicas ? byWorthKeeping(occupied) : occupied
  const kept = ordered.slice(0, replicas)
  for (const slot of ordered.slice(replicas)) leave(plan, slot)
  for (const slot of kept) tendSlot(plan, slot)
  const refilled = fill(plan, kept, slots, replicas)
  planUpdate(plan, kept)
  reap(plan, slots.values(), new Set([...kept, ...refilled]))
  return plan.verdict()
}

/** The slot is no more. */
function leave(plan: Plan, slot: Slot): void {
  for (const task of slot.tasks)
    if (isWanted(task) || !hasEnded(task)) plan.desire(task, 'remove', 'the service was scaled down')
}

/** Gives tasks to the lowest numbers that have none, and answers those of them that have a past. */
function fill(plan: Plan, kept: readonly Slot[], slots: ReadonlyMap<number, Slot>, replicas: number): Slot[] {
  const taken = new Set(kept.map((slot) => slot.number))
  const past: Slot[] = []
  for (let number = 1, missing = replicas - kept.length; missing > 0; number++) {
    if (taken.has(number)) continue
    missing -= 1
    plan.add({ slot: number, desiredState: 'running' }, 'the service lacks a task')
    const slot = slots.get(number)
    if (slot !== undefined) past.push(slot)
  }
  return past
}
