import assert from 'node:assert/strict'
import test from 'node:test'
import { parseJson, stringifyJson } from './lossless-json.ts'

test('integers beyond 2^53 keep their digits there and back', () => {
  const text = '{"time":1737000000,"timeNano":1737000000123456789,"limit":-9223372036854775808,"share":0.25}'
  assert.equal(stringifyJson(parseJson(text)), text)
  assert.deepEqual(parseJson('{"timeNano":1737000000123456789}'), { timeNano: 1737000000123456789n })
})

test('digits inside text and fractions stay what they are', () => {
  const text = '{"id":"12345678901234567890","pi":3.14159265358979312}'
  assert.deepEqual(parseJson(text), { id: '12345678901234567890', pi: Math.PI })
})
