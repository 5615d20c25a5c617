import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { nextTime } from '#model/cron/schedule.ts'
import type { CronSpec } from '#model/cron/labels.ts'

/** A clock that has gone back by no more than this is waited for, so that no time comes twice. */
const smallStepBackMs = 3_600_000

export interface Due {
  /** The time that has come and is to be run now. */
  readonly at?: Instant
  /** All times up to here are settled: run, or too late for it. */
  readonly evaluatedUntil: Instant
  /** The time after that. */
  readonly next?: Instant
}

/**
 * Which time of a schedule is to be run now. Of several that have come since the last look the latest is, if that is no
 * longer ago than the deadline; the others are let go. A clock that was far ahead and is set right begins anew.
 */
export function dueOf(
  { schedule, zone, deadlineMs }: Pick<CronSpec, 'schedule' | 'zone' | 'deadlineMs'>,
  evaluatedUntil: Instant,
  now: Instant,
): Due {
  const isFarBehind = evaluatedUntil > now + smallStepBackMs
  const from = isFarBehind ? now : evaluatedUntil
  let at: Instant | undefined
  // One that is late by the deadline exactly is in time still.
  let next = nextTime(schedule, zone, Math.max(from, now - deadlineMs - 1))
  while (next !== undefined && next <= now) {
    at = next
    next = nextTime(schedule, zone, next)
  }
  return {
    ...(at === undefined ? {} : { at }),
    evaluatedUntil: isFarBehind ? now : instant(Math.max(from, now)),
    ...(next === undefined ? {} : { next }),
  }
}
