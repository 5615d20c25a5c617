import { meetsConstraints } from '#model/constraint.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { Environment, Verdict } from '../verdict.ts'
import { newTask } from './new-task.ts'
import { reap } from './reaper.ts'
import { decideRestart } from './restart.ts'
import { constraintsOf, hasEnded, isWanted } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { byAge } from './slots.ts'
import type { Slot } from './slots.ts'
import { Plan, tendSlot } from './slot-plan.ts'
import { planUpdate } from './update.ts'

/** Brings a global service to one task on every node that may have it. */
export function reconcileGlobal(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(env)
  const constraints = constraintsOf(service)
  const byNode = new Map<string, Task[]>()
  for (const task of view.tasks) {
    const group = byNode.get(task.nodeId)
    if (group === undefined) byNode.set(task.nodeId, [task])
    else group.push(task)
  }
  const kept: Slot[] = []
  for (const node of view.nodes()) {
    const slot = slotOf(byNode.get(node.meta.id))
    byNode.delete(node.meta.id)
    const eligible = isEligible(node) && meetsConstraints(node, constraints)
    if (slot !== undefined && slot.wanted.length > 0) {
      kept.push(slot)
      tendSlot(plan, view, service, slot, node.meta.id)
    } else if (eligible && node.spec.availability === 'active' && !isSpent(slot, service, env))
      plan.add(newTask(service, { slot: 0, nodeId: node.meta.id }, env), `node ${node.meta.name} has none`)
  }
  // What is left ran on nodes that are no more.
  for (const tasks of byNode.values())
    for (const task of tasks) if (isWanted(task)) plan.desire(task, 'shutdown', 'its node was removed')
  const update = planUpdate(plan, view, service, kept)
  reap(plan, view.tasks, view.taskHistoryLimit)
  return {
    changes: update === undefined ? plan.changes : [...plan.changes, update],
    because: plan.because,
    ...(plan.wakeAt === undefined ? {} : { wakeAt: plan.wakeAt }),
  }
}

const isEligible = (node: Node): boolean =>
  node.status.state === 'ready' && node.spec.availability !== 'drain'

function slotOf(tasks: Task[] | undefined): Slot | undefined {
  if (tasks === undefined) return undefined
  tasks.sort(byAge)
  const newest = tasks.at(-1)
  return newest === undefined ? undefined : { number: 0, tasks, wanted: tasks.filter(isWanted), newest }
}

function isSpent(slot: Slot | undefined, service: Service, env: Environment): boolean {
  if (slot === undefined || !hasEnded(slot.newest)) return false
  if (slot.newest.serviceGeneration !== service.meta.generation) return false
  if (slot.newest.status.state === 'shutdown' || slot.newest.status.state === 'orphaned') return false
  return !decideRestart(slot.newest, env.now).restart
}
