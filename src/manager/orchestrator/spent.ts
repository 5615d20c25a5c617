import type { Plan } from './plan.ts'
import { decideRestart } from './restart.ts'
import type { Slot } from './slots.ts'

/**
 * The slot has had its turn: nothing in it is wanted, and its policy wants no other. It still counts as one of the
 * service's, so that no task takes its place. A rollback begins anew even there, as in Swarm.
 */
export function isSpent(plan: Plan, slot: Slot): boolean {
  if (slot.wanted.length > 0 || slot.newest.desiredState === 'remove') return false
  if (plan.service.status.update?.state === 'rollback_started') return false
  return !decideRestart(slot.newest, plan.now, plan.isJob).restart
}
