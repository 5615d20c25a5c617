import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import { toleratesNode } from '#model/toleration.ts'
import type { Environment, Verdict } from '../verdict.ts'
import { Plan } from './plan.ts'
import { reap } from './reaper.ts'
import { meetsPlacement, tolerationsOf } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { isSpent } from './spent.ts'
import { slotsByNode } from './slots.ts'
import type { Slot } from './slots.ts'
import { tendSlot } from './tend-slot.ts'
import { planUpdate } from './update.ts'

/** Brings a global service to one task on every node that may have it. */
export function reconcileGlobal(view: ServiceView, service: Service, env: Environment): Verdict {
  const plan = new Plan(view, service, env)
  const slots = slotsByNode(view.tasks)
  const present = new Set<Slot>()
  const updatable: Slot[] = []
  for (const node of view.nodes()) {
    const slot = slots.get(node.meta.id)
    if (slot !== undefined) {
      present.add(slot)
      tendSlot(plan, slot)
    }
    if (slot !== undefined && (slot.wanted.length > 0 || isSpent(plan, slot))) {
      // A paused node gets nothing new; what has begun there is finished.
      if (node.spec.availability !== 'pause' || slot.wanted.length > 1) updatable.push(slot)
    } else if (mayHave(node, service))
      plan.add({ slot: 0, nodeId: node.meta.id, desiredState: 'running' }, `node ${node.meta.name} has none`)
  }
  for (const slot of slots.values())
    if (!present.has(slot))
      for (const task of slot.wanted) plan.desire(task, 'shutdown', 'its node was removed')
  planUpdate(plan, updatable)
  reap(plan, slots.values(), present)
  return plan.verdict()
}

/** Whether a global service (or job) puts a task on the node. Room for it is the scheduler's question. */
export function mayHave(node: Node, service: Service): boolean {
  const { template } = service.spec
  return (
    node.status.state === 'ready' &&
    node.spec.availability === 'active' &&
    meetsPlacement(node, template) &&
    toleratesNode(node, tolerationsOf(template), ['no-schedule', 'no-execute'])
  )
}
