import type { Service } from '#model/service.ts'
import type { Environment, Verdict } from '../verdict.ts'
import { newTask } from './new-task.ts'
import { reap } from './reaper.ts'
import { decideRestart } from './restart.ts'
import { hasEnded } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { Plan, tendSlot } from './slot-plan.ts'
import { slotsOf } from './slots.ts'
import type { Slot } from './slots.ts'
import { planUpdate } from './update.ts'

/** Brings a replicated service to its number of running tasks, one in each of the slots. */
export function reconcileReplicated(view: ServiceView, service: Service, env: Environment): Verdict {
  const replicas = service.spec.mode.type === 'replicated' ? (service.spec.mode.replicas ?? 1) : 0
  const plan = new Plan(env)
  const slots = slotsOf(view.tasks)
  const kept: Slot[] = []
  const free: number[] = []
  let highest = 0
  const occupied: Slot[] = []
  for (const slot of slots.values()) {
    highest = Math.max(highest, slot.number)
    if (slot.wanted.length > 0 || isSpent(slot, service, env)) occupied.push(slot)
    else free.push(slot.number)
  }
  occupied.sort(byWorthKeeping(view))
  for (const [index, slot] of occupied.entries()) {
    if (index < replicas) kept.push(slot)
    else for (const task of slot.wanted) plan.desire(task, 'remove', 'the service was scaled down')
  }
  for (const slot of kept) tendSlot(plan, view, service, slot)
  addSlots(plan, service, replicas - kept.length, free, slots, highest)
  const update = planUpdate(plan, view, service, kept)
  reap(plan, view.tasks, view.taskHistoryLimit)
  return {
    changes: update === undefined ? plan.changes : [...plan.changes, update],
    because: plan.because,
    ...(plan.wakeAt === undefined ? {} : { wakeAt: plan.wakeAt }),
  }
}

/** The lowest numbers that are not taken. */
function addSlots(
  plan: Plan,
  service: Service,
  count: number,
  free: number[],
  slots: ReadonlyMap<number, Slot>,
  highest: number,
): void {
  const numbers = [...free]
  for (let number = 1; number <= highest; number++) if (!slots.has(number)) numbers.push(number)
  numbers.sort((a, b) => a - b)
  for (let next = highest + 1; numbers.length < count; next++) numbers.push(next)
  for (const slot of numbers.slice(0, Math.max(0, count)))
    plan.add(newTask(service, { slot }, plan.env), 'the service lacks a task')
}

/** Its last task ended, is of the present spec, and its policy wants no other: the slot has had its turn. */
function isSpent(slot: Slot, service: Service, env: Environment): boolean {
  const { newest } = slot
  if (newest.desiredState === 'remove' || !hasEnded(newest)) return false
  if (newest.serviceGeneration !== service.meta.generation) return false
  if (newest.status.state === 'shutdown' || newest.status.state === 'orphaned') return false
  return !decideRestart(newest, env.now).restart
}

/** Scaled down are first the slots that do not run, then those on the nodes with the most of this service. */
function byWorthKeeping(view: ServiceView): (a: Slot, b: Slot) => number {
  const onNode = new Map<string, number>()
  const rankOnNode = new Map<Slot, number>()
  const isRunning = (slot: Slot) => slot.wanted.some((task) => task.status.state === 'running')
  const ordered = [...slotsOf(view.tasks).values()].sort((a, b) => a.number - b.number)
  for (const slot of ordered) {
    const node = slot.wanted.at(-1)?.nodeId ?? ''
    const count = (onNode.get(node) ?? 0) + (slot.wanted.length > 0 ? 1 : 0)
    onNode.set(node, count)
    rankOnNode.set(slot, count)
  }
  const ranks = new Map([...rankOnNode].map(([slot, rank]) => [slot.number, rank]))
  return (a, b) =>
    Number(isRunning(b)) - Number(isRunning(a)) ||
    (ranks.get(a.number) ?? 0) - (ranks.get(b.number) ?? 0) ||
    a.number - b.number
}
