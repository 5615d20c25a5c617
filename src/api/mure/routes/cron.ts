import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { View } from '#manager/control/control.ts'
import { cronLabels, cronSpecOf } from '#model/cron/labels.ts'
import { nextTime } from '#model/cron/schedule.ts'
import type { Service } from '#model/service.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const writeTimeoutMs = 15_000

/** A service that runs by the clock, as `mure cron ls` shows it. Moments are RFC 3339; absent: there was, or is, none. */
export interface CronReport {
  readonly id: string
  readonly name: string
  readonly schedule: string
  readonly zone: string
  readonly concurrency: string
  readonly paused: boolean
  readonly next?: string
  /** Oldest first. */
  readonly runs: readonly {
    readonly iteration: number
    readonly state: string
    readonly scheduledAt?: string
    readonly startedAt: string
    readonly endedAt?: string
  }[]
}

export function registerCronRoutes(router: Router, { node, clock }: MureParts): void {
  router.add('GET', '/mure/v1/cron', async () => {
    const services = [...node.control().view.list('service')]
    const reports = services.flatMap((service) => reportOf(service, clock.now()) ?? [])
    return ok(reports.sort((a, b) => (a.name < b.name ? -1 : 1)))
  })

  router.add('POST', '/mure/v1/cron/{name}/{action}', async (request) => {
    const control = node.control()
    const { meta, spec } = named(control.view, request.params['name'] ?? '')
    using wait = startWait({
      timeoutMs: writeTimeoutMs,
      signal: request.signal,
      what: 'the store to take the change',
    })
    const { action } = request.params
    if (action === 'run') return ok(reportOf(await control.runCron(meta.id, { wait }), clock.now()))
    if (action !== 'pause' && action !== 'resume')
      throw new MureError('invalid', `the action is run, pause or resume, not "${action ?? ''}"`)
    if (cronSpecOf(spec.labels) === undefined)
      throw new MureError('precondition', `service ${spec.name} has no schedule`)
    const { [cronLabels.paused]: _, ...others } = spec.labels
    const labels = action === 'pause' ? { ...others, [cronLabels.paused]: 'true' } : others
    const changed = await control.updateService(meta.id, meta.version, { ...spec, labels }, { wait })
    return ok(reportOf(changed, clock.now()))
  })
}

function named(view: View, wanted: string): Service {
  const known = view.get('service', wanted) ?? view.byName('service', wanted)
  const [first, ...others] = known === undefined ? view.byIdPrefix('service', wanted) : [known]
  if (first === undefined || others.length > 0 || wanted === '')
    throw new MureError('not-found', `service ${wanted} not found`)
  return first
}

function reportOf({ meta, spec, status }: Service, now: Instant): CronReport | undefined {
  const cron = cronSpecOf(spec.labels)
  if (cron === undefined) return undefined
  const next = cron.isPaused ? undefined : nextTime(cron.schedule, cron.zone, now)
  return {
    id: meta.id,
    name: spec.name,
    schedule: cron.schedule,
    zone: cron.zone,
    concurrency: cron.concurrency,
    paused: cron.isPaused,
    ...at('next', next),
    runs: (status.cron?.runs ?? []).map((run) => ({
      iteration: run.iteration,
      state: run.state,
      ...at('scheduledAt', run.scheduledAt),
      startedAt: new Date(run.startedAt).toISOString(),
      ...at('endedAt', run.endedAt),
    })),
  }
}

const at = <K extends string>(name: K, moment: number | undefined) =>
  (moment === undefined ? {} : { [name]: new Date(moment).toISOString() }) as Partial<Record<K, string>>
