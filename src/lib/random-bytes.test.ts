import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeRandomBytes } from './random-bytes.ts'

test('bytes are handed out once, also where a pool ends', () => {
  const taken = Array.from({ length: 5_000 }, () => takeRandomBytes(12).toString('hex'))
  assert.equal(new Set(taken).size, taken.length)
  assert.equal(takeRandomBytes(100_000).length, 100_000)
})

test('what was handed out stays as it was', () => {
  const first = takeRandomBytes(12)
  const text = first.toString('hex')
  for (let index = 0; index < 5_000; index++) takeRandomBytes(12)
  assert.equal(first.toString('hex'), text)
})
