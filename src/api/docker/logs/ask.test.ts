import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askedOf } from './ask.ts'

const ask = (query: string) => askedOf(new URLSearchParams(query))

test('what a client wants of logs', () => {
  assert.deepEqual(ask('stdout=1&follow=true&tail=10&since=5.25'), {
    format: { stdout: true, stderr: false, timestamps: false, details: false },
    wish: { follow: true, since: '5.25', until: '', tail: '10' },
  })
  assert.equal(ask('stderr=1').wish.tail, 'all')
})

test("what cannot be had is refused in Docker's words", () => {
  assert.throws(() => ask('tail=1'), /you must choose at least one stream/)
  assert.throws(() => ask('stdout=1&tail=x'), /tail value must be a positive integer or "all"/)
  assert.throws(() => ask('stdout=1&tail=-2'), /negative tail values not supported/)
  assert.throws(
    () => ask('stdout=1&since=x'),
    /could not parse since timestamp: strconv.ParseInt: parsing "x": invalid syntax/,
  )
})
