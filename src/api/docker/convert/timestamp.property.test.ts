import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { timestamp } from './fields.ts'

test('a moment is RFC 3339 in UTC, without zeros at the end', () => {
  assert.equal(timestamp(0), '1970-01-01T00:00:00Z')
  assert.equal(timestamp(1_500), '1970-01-01T00:00:01.5Z')
  assert.equal(timestamp(-1), '1969-12-31T23:59:59.999Z')
  const moment = fc.oneof(fc.integer({ min: -2e12, max: 4e12 }), fc.nat(3_000))
  fc.assert(
    fc.property(moment, (ms) => {
      assert.equal(timestamp(ms), new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z'))
      assert.equal(Date.parse(timestamp(ms)), ms)
    }),
  )
})
