import type { Labels } from '../meta.ts'
import type { Problem } from '../validate/problem.ts'
import { problem } from '../validate/problem.ts'
import { parseDuration } from '../duration.ts'
import { nextTime, scheduleProblem } from './schedule.ts'

/** The labels of a service that make it one that runs by the clock. */
export const cronLabels = {
  schedule: 'mure.schedule',
  zone: 'mure.schedule.zone',
  concurrency: 'mure.schedule.concurrency',
  deadline: 'mure.schedule.deadline',
  keepComplete: 'mure.schedule.history.complete',
  keepFailed: 'mure.schedule.history.failed',
  paused: 'mure.schedule.paused',
} as const

/** What becomes of a run whose time comes while the one before still goes on. */
export type Concurrency =
  /** They run side by side. */
  | 'allow'
  /** It is left out. */
  | 'forbid'
  /** The one before is ended. */
  | 'replace'

export interface CronSpec {
  /** Five fields, as in crontab(5), or `@hourly` and the like. */
  readonly schedule: string
  /** An IANA time zone. */
  readonly zone: string
  readonly concurrency: Concurrency
  /** A run that could not begin in time (no leader, no cluster) is made up for until so long after its time. */
  readonly deadlineMs: number
  /** So many runs that went well, and that did not, are kept with their tasks. */
  readonly keepComplete: number
  readonly keepFailed: number
  readonly isPaused: boolean
}

const defaults = {
  zone: 'UTC',
  concurrency: 'forbid',
  deadline: '10m',
  keepComplete: '3',
  keepFailed: '1',
  paused: 'false',
} as const

const concurrencies: readonly Concurrency[] = ['allow', 'forbid', 'replace']
const longestDeadlineMs = 24 * 3_600_000

/** Undefined for a service that has no schedule, and for labels that `cronProblems` refuses. */
export function cronSpecOf(labels: Labels): CronSpec | undefined {
  const schedule = labels[cronLabels.schedule]
  if (schedule === undefined) return undefined
  const read = (name: keyof typeof defaults) => labels[cronLabels[name]] ?? defaults[name]
  const concurrency = concurrencies.find((known) => known === read('concurrency'))
  const deadlineMs = parseDuration(read('deadline'))
  if (concurrency === undefined || deadlineMs === undefined) return undefined
  return {
    schedule,
    zone: read('zone'),
    concurrency,
    deadlineMs,
    keepComplete: Number(read('keepComplete')),
    keepFailed: Number(read('keepFailed')),
    isPaused: read('paused') === 'true',
  }
}

export function cronProblems(labels: Labels): Problem[] {
  const schedule = labels[cronLabels.schedule]
  const say = (name: keyof typeof cronLabels, why: string) =>
    problem('Labels', `the label ${cronLabels[name]} ${why}, not "${labels[cronLabels[name]] ?? ''}"`)
  if (schedule === undefined) {
    const others = Object.keys(labels).filter((name) => name.startsWith(`${cronLabels.schedule}.`))
    return others.flatMap((name) =>
      problem('Labels', `the label ${name} needs ${cronLabels.schedule} beside it`),
    )
  }
  const known = new Set<string>(Object.values(cronLabels))
  const problems = Object.keys(labels)
    .filter((name) => name.startsWith(`${cronLabels.schedule}.`) && !known.has(name))
    .flatMap((name) => problem('Labels', `there is no label ${name}`))
  const text = (name: keyof typeof defaults) => labels[cronLabels[name]] ?? defaults[name]
  const why = scheduleProblem(schedule, text('zone'))
  if (why !== undefined) problems.push(...problem('Labels', `the label ${cronLabels.schedule}: ${why}`))
  else if (nextTime(schedule, text('zone'), Date.UTC(2000, 0, 1)) === undefined)
    problems.push(...say('schedule', 'names no time that ever comes'))
  if (!concurrencies.some((one) => one === text('concurrency')))
    problems.push(...say('concurrency', `is ${concurrencies.join(', ')}`))
  const deadlineMs = parseDuration(text('deadline'))
  if (deadlineMs === undefined || deadlineMs > longestDeadlineMs)
    problems.push(...say('deadline', 'is a duration such as "90s", "10m" or "2h", of a day at most'))
  for (const name of ['keepComplete', 'keepFailed'] as const)
    if (!/^\d{1,3}$/.test(text(name))) problems.push(...say(name, 'is a count of runs'))
  if (text('paused') !== 'true' && text('paused') !== 'false')
    problems.push(...say('paused', 'is true or false'))
  return problems
}
