import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csrfOf, isSameSecret, sign, verify } from './grant.ts'
import type { Grant } from './grant.ts'

const key = Buffer.alloc(32, 1)
const grant: Grant = { role: 'read-only', expiresAt: 1_000, id: 'a' }

test('a grant is known again, until its time is over', () => {
  const text = sign(key, 'token', grant)
  assert.deepEqual(verify(key, 'token', text, 999), grant)
  assert.equal(verify(key, 'token', text, 1_000), undefined)
})

test('another key, another kind and any changed character are refused', () => {
  const text = sign(key, 'token', grant)
  assert.equal(verify(Buffer.alloc(32, 2), 'token', text, 0), undefined)
  assert.equal(verify(key, 'session', text, 0), undefined)
  for (let i = 0; i < text.length - 1; i++) {
    const changed = `${text.slice(0, i)}${text[i] === 'A' ? 'B' : 'A'}${text.slice(i + 1)}`
    assert.equal(verify(key, 'token', changed, 0), undefined, String(i))
  }
})

test('what is no grant at all is refused in silence', () => {
  for (const text of ['', '.', 'a.b', 'a.b.c', '\0', 'é.é', 'x'.repeat(100_000)])
    assert.equal(verify(key, 'token', text, 0), undefined)
})

test('the CSRF token belongs to one session', () => {
  assert.notEqual(csrfOf(key, grant), csrfOf(key, { ...grant, id: 'b' }))
  assert.ok(isSameSecret('abc', 'abc'))
  assert.ok(!isSameSecret('abc', 'abd'))
  assert.ok(!isSameSecret('abc', 'abcd'))
})
