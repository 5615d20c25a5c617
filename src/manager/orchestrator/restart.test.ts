import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import type { Task } from '#model/task.ts'
import { aTask, testEpoch } from '#model/testing/builders.ts'
import { decideRestart, delayAfter } from './restart.ts'

test('the delay grows only while it is small, never beyond five seconds, and never below what the policy says', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 0, max: 60_000 }), (quick, delayMs) => {
      const delay = delayAfter(quick, delayMs)
      assert.ok(delay >= delayMs && delay <= Math.max(delayMs, 5_000))
      assert.ok(delayAfter(quick + 1, delayMs) >= delay)
      if (delayMs >= 5_000) assert.equal(delay, delayMs)
    }),
  )
  assert.deepEqual(
    [0, 1, 2, 3, 4, 7, 8, 100].map((quick) => delayAfter(quick, 0)),
    [0, 0, 100, 200, 400, 3_200, 5_000, 5_000],
  )
})

test('a task that ran well begins anew', () => {
  const ended = (ranMs: number, restarts: Task['restarts']): Task => {
    const task = aTask({ state: 'failed', ...(restarts && { restarts }) })
    const since = instant(testEpoch + ranMs)
    return {
      ...task,
      spec: { ...task.spec, restart: { delayMs: 0 } },
      status: {
        ...task.status,
        since,
        containers: [{ name: '', containerId: 'c', pid: 1, startedAt: testEpoch }],
      },
    }
  }
  let restarts: Task['restarts']
  const delays = [100, 100, 100, 20_000, 100].map((ranMs) => {
    const task = ended(ranMs, restarts)
    const decision = decideRestart(task, task.status.since)
    assert.ok(decision.restart)
    restarts = decision.restarts
    return decision.startAfter - task.status.since
  })
  assert.deepEqual(delays, [0, 100, 200, 0, 0])
  assert.equal(restarts?.count, 5)
})
