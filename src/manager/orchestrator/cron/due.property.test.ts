import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import { nextTime, scheduleProblem } from '#model/cron/schedule.ts'
import { dueOf } from './due.ts'

const hour = 3_600_000
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata']
const zone = fc.constantFrom(...zones)
const schedule = fc.constantFrom(
  ...['* * * * *', '*/5 * * * *', '0 * * * *', '30 2 * * *', '0 3 * * 1-5', '15 1,2,3 * * *', '0 0 29 2 *'],
  ...['@daily', '@hourly', '0 */2 * * *', '59 23 L * *'],
)
const moment = fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2032, 0, 1) })

const localTime = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' }).format(at)
const localDay = (at: number, timeZone: string): string =>
  new Intl.DateTimeFormat('en-GB', { timeZone, dateStyle: 'short' }).format(at)

test('times come in order, on whole minutes, and there is none between a moment and its next', () => {
  fc.assert(
    fc.property(schedule, zone, moment, (pattern, place, at) => {
      const next = nextTime(pattern, place, at)
      assert.ok(next !== undefined && next > at)
      assert.equal(next % 60_000, 0)
      assert.equal(nextTime(pattern, place, next - 1), next)
      assert.equal(nextTime(pattern, place, Math.floor((at + next) / 2)), next)
    }),
    { numRuns: 300 },
  )
})

test('a time of day comes once on every day, also when the clock is changed', () => {
  const zonesWithChanges = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']
  // Forty days from each, with the changes of all three zones among them.
  for (const start of [Date.UTC(2026, 2, 1, 12), Date.UTC(2026, 9, 1, 12)])
    for (const place of zonesWithChanges)
      for (const pattern of ['30 2 * * *', '30 1 * * *', '59 2 * * *']) {
        const days = new Set<string>()
        let at: number | undefined = start
        for (let count = 0; count < 40 && at !== undefined; count++) {
          at = nextTime(pattern, place, at)
          if (at !== undefined) days.add(localDay(at, place))
        }
        assert.equal(days.size, 40, `${pattern} ${place}`)
        assert.ok((at ?? 0) - start < 40.5 * 24 * hour, `${pattern} ${place}`)
      }
})

test('a time that is left out comes at the change of the clock; what is there twice comes once', () => {
  const next = (from: string) => {
    const at = nextTime('30 2 * * *', 'Europe/Berlin', Date.parse(from))
    return at === undefined ? '' : new Date(at).toISOString()
  }
  assert.equal(next('2026-03-28T12:00:00Z'), '2026-03-29T01:00:00.000Z')
  assert.equal(next('2026-10-24T12:00:00Z'), '2026-10-25T00:30:00.000Z')
  assert.equal(next('2026-10-25T00:30:00Z'), '2026-10-26T01:30:00.000Z')
})

test('every so many minutes is every so many minutes, whatever the clock does', () => {
  fc.assert(
    fc.property(zone, moment, (place, at) => {
      const first = nextTime('*/15 * * * *', place, at)
      assert.ok(first !== undefined)
      assert.equal(nextTime('*/15 * * * *', place, first), first + 15 * 60_000)
    }),
    { numRuns: 300 },
  )
})

test('leap days, and days that never come', () => {
  const next = nextTime('0 0 29 2 *', 'UTC', Date.UTC(2097, 0, 1))
  assert.equal(next, Date.UTC(2104, 1, 29), '2100 is no leap year')
  assert.equal(nextTime('0 0 30 2 *', 'UTC', Date.UTC(2026, 0, 1)), undefined)
})

test('of all that came since the last look, the latest is run, unless it is too late for it', () => {
  fc.assert(
    fc.property(
      schedule,
      zone,
      moment,
      fc.integer({ min: 0, max: 3 * 24 * hour }),
      fc.integer({ min: 0, max: 2 * hour }),
      (pattern, place, from, slept, deadlineMs) => {
        const now = instant(from + slept)
        const { at, evaluatedUntil, next } = dueOf(
          { schedule: pattern, zone: place, deadlineMs },
          instant(from),
          now,
        )
        assert.equal(evaluatedUntil, now)
        assert.ok(next !== undefined && next > now)
        if (at === undefined) {
          const latest = nextTime(pattern, place, Math.max(from, now - deadlineMs - 1))
          assert.ok(latest === undefined || latest > now)
        } else {
          assert.ok(at > from && at <= now && now - at <= deadlineMs)
          assert.equal(nextTime(pattern, place, at), next)
        }
        // Looked at again at once, nothing is run twice.
        assert.equal(dueOf({ schedule: pattern, zone: place, deadlineMs }, evaluatedUntil, now).at, undefined)
      },
    ),
    { numRuns: 200 },
  )
})

test('looked at often enough, every time is run exactly once, also when the clock goes to and fro by less than an hour', () => {
  fc.assert(
    fc.property(
      moment,
      fc.array(fc.integer({ min: -20 * 60_000, max: 9 * 60_000 }), { minLength: 5, maxLength: 60 }),
      (start, steps) => {
        const rule = { schedule: '*/5 * * * *', zone: 'Europe/Berlin', deadlineMs: 10 * 60_000 }
        let now = start
        let evaluatedUntil = instant(start)
        const run: number[] = []
        for (const step of steps) {
          now = Math.max(now + step, evaluatedUntil - 55 * 60_000)
          const due = dueOf(rule, evaluatedUntil, instant(now))
          if (due.at !== undefined) run.push(due.at)
          evaluatedUntil = due.evaluatedUntil
        }
        assert.equal(new Set(run).size, run.length, 'none twice')
        assert.deepEqual(
          run,
          run.toSorted((a, b) => a - b),
        )
      },
    ),
    { numRuns: 50 },
  )
})

test('a clock that was a year ahead does not silence the schedule for a year', () => {
  const rule = { schedule: '@hourly', zone: 'UTC', deadlineMs: 60_000 }
  const now = instant(Date.UTC(2026, 5, 1, 12, 30))
  const due = dueOf(rule, instant(now + 365 * 24 * hour), now)
  assert.equal(due.at, undefined)
  assert.equal(due.evaluatedUntil, now)
  assert.equal(due.next, Date.UTC(2026, 5, 1, 13))
})

test('what is no schedule is refused with the reason', () => {
  assert.equal(scheduleProblem('*/5 * * * *', 'UTC'), undefined)
  assert.match(scheduleProblem('* * * *', 'UTC') ?? '', /must have five fields/)
  assert.match(scheduleProblem('* * * * * *', 'UTC') ?? '', /must have five fields/)
  assert.match(scheduleProblem('61 * * * *', 'UTC') ?? '', /is not understood: Invalid value for minute/)
  assert.match(scheduleProblem('@reboot', 'UTC') ?? '', /is not @hourly/)
  assert.match(scheduleProblem('@daily', 'Mars/Base') ?? '', /is not a time zone/)
  assert.equal(localTime(nextTime('0 9 * * *', 'Asia/Kolkata', 0) ?? 0, 'Asia/Kolkata'), '09:00')
})
