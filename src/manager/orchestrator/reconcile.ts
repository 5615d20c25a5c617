import type { Environment, Verdict } from '../verdict.ts'
import { nothing } from '../verdict.ts'
import { reconcileGlobal } from './global.ts'
import { reap } from './reaper.ts'
import { reconcileReplicated } from './replicated.ts'
import { isWanted } from './service-view.ts'
import type { ServiceView } from './service-view.ts'
import { Plan } from './slot-plan.ts'

/** What is to be done about one service now. */
export function reconcileService(view: ServiceView, env: Environment): Verdict {
  const { service } = view
  if (service === undefined) return removeAll(view, env)
  switch (service.spec.mode.type) {
    case 'replicated':
      return reconcileReplicated(view, service, env)
    case 'global':
      return reconcileGlobal(view, service, env)
    case 'replicated-job':
    case 'global-job':
      return nothing
  }
}

/** The service is gone: its tasks are stopped, and taken away as they end. */
function removeAll(view: ServiceView, env: Environment): Verdict {
  const plan = new Plan(env)
  for (const task of view.tasks)
    if (isWanted(task) || task.desiredState === 'shutdown')
      plan.desire(task, 'remove', 'the service was removed')
  reap(plan, view.tasks, 0)
  return { changes: plan.changes, because: plan.because }
}
