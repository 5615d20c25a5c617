import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMureError } from '#lib/errors.ts'
import { newKey, open, seal } from './seal.ts'
import { Sealed } from './sealed.ts'

const ring = { keys: [{ id: 1, key: newKey() }] }
const rotated = { keys: [...ring.keys, { id: 2, key: newKey() }] }

test('what is sealed opens with the same key and context, also after the keys were rotated', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (bytes, context) => {
      const sealed = seal(ring, Buffer.from(bytes), context)
      assert.deepEqual(open(rotated, sealed, context), Buffer.from(bytes))
      assert.throws(
        () => open(ring, sealed, `${context}x`),
        (error: unknown) => isMureError(error, 'precondition'),
      )
      assert.throws(
        () => open(ring, seal(rotated, Buffer.from(bytes), context), context),
        (error: unknown) => isMureError(error, 'precondition') && /key 2 .*is not here/.test(error.message),
      )
    }),
  )
})

test('no changed bit and no cut goes unnoticed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(), fc.nat(7), (bytes, where, bit) => {
      const sealed = seal(ring, Buffer.from(bytes), 'context')
      const at = where % sealed.length
      assert.throws(() => open(ring, sealed.subarray(0, at), 'context'))
      sealed.writeUInt8(sealed.readUInt8(at) ^ (1 << bit), at)
      assert.throws(() => open(ring, sealed, 'context'))
    }),
  )
})

test('a sealed value shows itself to nobody who does not ask for it', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 12 }), (secret) => {
      const value = new Sealed(secret)
      assert.equal(value.reveal(), secret)
      assert.equal(JSON.stringify({ value }), '{"value":"[sealed]"}')
      assert.equal(inspect({ value }, { showHidden: true, depth: 9 }), '{ value: [sealed] }')
      assert.equal(`${String(value)}`, '[sealed]')
      assert.deepEqual(Object.keys(value), [])
    }),
  )
})
