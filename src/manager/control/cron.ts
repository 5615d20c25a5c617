import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import { cronLabels, cronSpecOf } from '#model/cron/labels.ts'
import type { ServiceId } from '#model/id.ts'
import type { CronStatus, Service } from '#model/service.ts'
import type { WriteOptions } from './control.ts'
import type { ObjectWriter } from './objects.ts'

/** Asks for a run now, beside what the schedule says. */
export function runCron(writer: ObjectWriter, id: ServiceId, options: WriteOptions): Promise<Service> {
  const version = writer.mirror.get('service', id)?.meta.version ?? 0
  return writer.change('service', id, version, options, (service) =>
    withRunRequested(service, writer.clock.now()),
  )
}

/** `precondition` where runs exclude one another and one goes on. */
function withRunRequested(service: Service, now: Instant): Service {
  const { spec, status } = service
  const cron = cronSpecOf(spec.labels)
  if (cron === undefined)
    throw new MureError(
      'precondition',
      `service ${spec.name} has no schedule: the label ${cronLabels.schedule} gives it one`,
    )
  if (cron.concurrency === 'forbid' && status.cron?.runs.some((run) => run.state === 'running') === true)
    throw new MureError(
      'precondition',
      `a run of ${spec.name} goes on, and ${cronLabels.concurrency} is "forbid"`,
    )
  return {
    ...service,
    meta: { ...service.meta, updatedAt: now },
    status: { ...status, cron: requestedRun(status.cron, now) },
  }
}

export const requestedRun = (known: CronStatus | undefined, now: Instant): CronStatus => ({
  ...(known ?? { evaluatedUntil: now, rule: '', runs: [] }),
  requested: true,
})
