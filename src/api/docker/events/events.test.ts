import assert from 'node:assert/strict'
import test from 'node:test'
import { parseEventFilter } from './filter.ts'
import type { DockerEvent } from './source.ts'
import { parseTimestamp, renderTimestamp } from './time.ts'

const created: DockerEvent = {
  Type: 'service',
  Action: 'create',
  Actor: { ID: 'xq1s0fbrnmxx', Attributes: { name: 'shop_web', tier: 'front' } },
  scope: 'swarm',
  time: 1_737_000_000,
  timeNano: 1_737_000_000_123_456_789n,
}

const passes = (filters: object): boolean => parseEventFilter(JSON.stringify(filters))(created)

test('every filter must fit, and one value of each', () => {
  assert.ok(parseEventFilter('')(created))
  assert.ok(passes({ type: ['node', 'service'], event: ['create'] }))
  assert.ok(passes({ scope: { swarm: true } }))
  assert.ok(!passes({ scope: ['local'] }))
  assert.ok(!passes({ type: ['service'], event: ['remove'] }))
})

test('a subject fits by id, by name and by a part of them', () => {
  assert.ok(passes({ service: ['shop_web'] }))
  assert.ok(passes({ service: ['xq1s'] }))
  assert.ok(passes({ service: ['web'] }))
  assert.ok(!passes({ service: ['db'] }))
})

test('labels are attributes', () => {
  assert.ok(passes({ label: ['tier'] }))
  assert.ok(passes({ label: ['tier=front'] }))
  assert.ok(!passes({ label: ['tier=front', 'zone'] }))
})

test('what is no filter is refused', () => {
  assert.ok(passes({ colour: ['red'] }))
  assert.throws(() => parseEventFilter('['), /unexpected end of JSON input/)
})

test('times keep their nanoseconds', () => {
  assert.equal(parseTimestamp('1737000000.5'), 1_737_000_000_500_000_000n)
  assert.equal(renderTimestamp(1_737_000_000_000_000_042n), '1737000000.000000042')
  assert.equal(parseTimestamp(''), undefined)
  assert.throws(() => parseTimestamp('yesterday'), /parsing "yesterday": invalid syntax/)
})
