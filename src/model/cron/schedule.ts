import { Cron } from 'croner'
import { errorText } from '#lib/errors.ts'
import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'

/** Reading a pattern costs more than asking it; there are few of them. */
const known = new Map<string, Cron>()
const mostKnown = 1_000

function cronOf(schedule: string, zone: string): Cron {
  const key = `${zone} ${schedule}`
  let cron = known.get(key)
  if (cron === undefined) {
    if (known.size >= mostKnown) known.clear()
    // Paused and without a function: it only answers, and has no timer.
    known.set(key, (cron = new Cron(schedule, { timezone: zone, paused: true, mode: '5-part' })))
  }
  return cron
}

/** Why a schedule can't be one, or undefined. */
export function scheduleProblem(schedule: string, zone: string): string | undefined {
  const isNamed = schedule.startsWith('@')
  if (!isNamed && schedule.trim().split(/\s+/).length !== 5)
    return `"${schedule}" must have five fields: minute, hour, day of the month, month, day of the week`
  if (isNamed && !/^@(yearly|annually|monthly|weekly|daily|midnight|hourly)$/.test(schedule))
    return `"${schedule}" is not @hourly, @daily, @weekly, @monthly or @yearly`
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
  } catch {
    return `"${zone}" is not a time zone such as Europe/Berlin`
  }
  try {
    cronOf(schedule, zone)
    return undefined
  } catch (error) {
    return `"${schedule}" is not understood: ${errorText(error).replace(/^CronPattern: /, '')}`
  }
}

/**
 * The first time of a schedule after a moment, or undefined if none ever comes. Where the clock is set forward, a time
 * that is left out comes at the moment of the change; where it is set back, a time of day comes once, and what comes
 * every so many minutes or hours goes on as if nothing had happened.
 */
export function nextTime(schedule: string, zone: string, after: number): Instant | undefined {
  const next = cronOf(schedule, zone).nextRun(new Date(after))
  return next === null ? undefined : instant(next.getTime())
}
