import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Observed } from './observed.ts'

test('a follower hears of the value at once and of each change, until it is disposed of', () => {
  const observed = new Observed(1)
  const heard: number[] = []
  {
    using _ = observed.follow((value) => heard.push(value))
    observed.value = 2
    observed.value = 2
    observed.value = 3
  }
  observed.value = 4
  assert.deepEqual(heard, [1, 2, 3])
  assert.equal(observed.value, 4)
})
