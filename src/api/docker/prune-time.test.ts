import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pruneBefore } from './prune-time.ts'

test('durations, seconds and dates are read as Docker reads them; nonsense spares everything', () => {
  const now = 1_000_000_000
  assert.equal(pruneBefore('1h30m', now), now - 5_400_000)
  assert.equal(pruneBefore('10s', now), now - 10_000)
  assert.equal(pruneBefore('1700000000', now), 1_700_000_000_000)
  assert.equal(pruneBefore('2026-01-02T03:04:05Z', now), Date.UTC(2026, 0, 2, 3, 4, 5))
  assert.equal(pruneBefore('yesterday', now), -Infinity)
})
