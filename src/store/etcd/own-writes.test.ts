import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aService } from '#model/testing/builders.ts'
import { OwnWrites } from './own-writes.ts'

const web = aService({ name: 'web' })
const writes = () => new Map([['/web', { value: Buffer.from('one'), object: web }]])

test('a value of our own is known by its bytes, once, and has the version of its write', () => {
  const own = new OwnWrites()
  own.sent(writes())
  assert.deepEqual(own.take('/web', Buffer.from('one'), 7), { ...web, meta: { ...web.meta, version: 7 } })
  assert.equal(web.meta.version, 0)
  assert.equal(own.take('/web', Buffer.from('one'), 7), undefined)
})

test("another's value of the same key is not ours", () => {
  const own = new OwnWrites()
  own.sent(writes())
  assert.equal(own.take('/web', Buffer.from('two'), 7), undefined)
})

test('a write that failed takes no other of the same key with it', () => {
  const own = new OwnWrites()
  const first = writes()
  own.sent(first)
  own.sent(new Map([['/web', { value: Buffer.from('two'), object: web }]]))
  own.failed(first)
  assert.notEqual(own.take('/web', Buffer.from('two'), 8), undefined)
})
