import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from './pace.ts'

test('what took long is rested from, and not for ever; what is quick is not', async () => {
  let now = 0
  const pace = new Pace(() => now)
  const took = (ms: number) =>
    pace.measured(() => {
      now += ms
      return Promise.resolve()
    })
  assert.equal(pace.restMs, 0)
  await took(100)
  assert.equal(pace.restMs, 0)
  await took(400)
  assert.equal(pace.restMs, 1_200)
  now += 1_000
  assert.equal(pace.restMs, 200)
  now += 500
  assert.equal(pace.restMs, 0)
  await took(5_000)
  assert.equal(pace.restMs, 2_000)
  await pace.rest(AbortSignal.abort())
})
