import type { Environment, Verdict } from '../verdict.ts'
import { remove, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import { cronSpecOf } from '#model/cron/labels.ts'
import { reconcileCron } from './cron/reconcile.ts'
import { reconcileGlobal } from './global.ts'
import { reconcileGlobalJob, reconcileReplicatedJob } from './jobs.ts'
import { isRemovable } from './reaper.ts'
import { reconcileReplicated } from './replicated.ts'
import { hasEnded } from './service-view.ts'
import type { ServiceView } from './service-view.ts'

/** What is to be done about one service now. */
export function reconcileService(view: ServiceView, env: Environment): Verdict {
  const { service } = view
  if (service === undefined) return removeAll(view, env)
  const cron = cronSpecOf(service.spec.labels)
  if (cron !== undefined) return reconcileCron(view, service, cron, env)
  switch (service.spec.mode.type) {
    case 'replicated':
      return reconcileReplicated(view, service, env)
    case 'global':
      return reconcileGlobal(view, service, env)
    case 'replicated-job':
      return reconcileReplicatedJob(view, service, env)
    case 'global-job':
      return reconcileGlobalJob(view, service, env)
  }
}

/** The service is gone: its tasks are stopped, and taken away as they end. */
function removeAll(view: ServiceView, env: Environment): Verdict {
  const changes = view.tasks.flatMap((task): Change[] => {
    const doomed = { ...task, desiredState: 'remove', meta: { ...task.meta, updatedAt: env.now } } as const
    if (hasEnded(task) || isRemovable(doomed)) return [remove(task)]
    return task.desiredState === 'remove' ? [] : [update(doomed)]
  })
  const because = changes.flatMap((change) =>
    change.op === 'update'
      ? [{ kind: 'task', id: change.object.meta.id, text: 'the service was removed' }]
      : [],
  )
  return { changes, because }
}
