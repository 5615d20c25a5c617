import assert from 'node:assert/strict'
import { test } from 'node:test'
import { omittableLayers } from './omittable.ts'

test('the longest beginning that another image shares is not sent', () => {
  const own = [
    ['a', 'x'],
    ['a', 'b', 'y'],
    ['b', 'c'],
  ]
  assert.deepEqual(omittableLayers(['a', 'b', 'c'], own), ['a', 'b'])
  assert.deepEqual(omittableLayers(['b', 'c', 'd'], own), ['b', 'c'])
  assert.deepEqual(omittableLayers(['c'], own), [])
  assert.deepEqual(omittableLayers(['a', 'b'], []), [])
})

test('a layer that lies further up as well is sent', () => {
  assert.deepEqual(omittableLayers(['a', 'empty', 'b', 'empty'], [['a', 'empty', 'b']]), ['a', 'b'])
})
