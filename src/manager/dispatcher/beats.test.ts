import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import type { NodeId } from '#model/id.ts'
import { Beats } from './beats.ts'

const other = 'other' as NodeId
const agent = 'agent' as NodeId

test('a manager whose store stands still is heard, and so are its agents, but its store is not', () => {
  let nowMs = 0
  const clock = { now: () => instant(nowMs), monotonicMs: () => nowMs }
  const reporter = new Beats(clock)
  const beats = new Beats(clock)
  const report = (storeCurrent: boolean) => {
    reporter.heard(agent, 1)
    beats.take(reporter.report(other, 10_000, { appliedRevision: 7, storeCurrent }))
  }
  assert.equal(beats.storeAgeMs(other), undefined)
  report(true)
  nowMs = 1_000
  report(false)
  nowMs = 1_500
  assert.deepEqual(
    { store: beats.storeAgeMs(other), manager: beats.managerAgeMs(other), agent: beats.ageMs(agent) },
    { store: 1_500, manager: 500, agent: 500 },
  )
  report(true)
  assert.equal(beats.storeAgeMs(other), 0)
})

test('a farewell reaches the leader, and holds until its time is over or the agent is back', () => {
  let nowMs = 0
  const clock = { now: () => instant(nowMs), monotonicMs: () => nowMs }
  const reporter = new Beats(clock)
  const beats = new Beats(clock)
  const report = () => {
    beats.take(reporter.report(other, 10_000, { appliedRevision: 7, storeCurrent: true }))
  }
  reporter.heard(agent, 1)
  reporter.farewell(agent, 1, 5_000)
  // On its way when the agent said so.
  reporter.heard(agent, 1)
  nowMs = 1_000
  report()
  assert.equal(beats.backWithinMs(agent), 4_000)
  nowMs = 4_000
  report()
  assert.equal(beats.backWithinMs(agent), 1_000)
  nowMs = 5_000
  report()
  assert.equal(beats.backWithinMs(agent), undefined)
  reporter.farewell(agent, 1, 5_000)
  reporter.heard(agent, 2)
  report()
  assert.equal(beats.backWithinMs(agent), undefined)
})
