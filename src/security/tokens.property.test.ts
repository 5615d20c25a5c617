import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { isMureError } from '#lib/errors.ts'
import { fromBase36, toBase36 } from './base36.ts'
import { createJoinToken, digestHex, parseJoinToken, rootDigest, sameToken } from './join-token.ts'
import { createUnlockKey, parseUnlockKey } from './unlock-key.ts'

const refuses = (parse: (text: string) => unknown, message: RegExp) => (text: string) => {
  try {
    parse(text)
  } catch (error) {
    assert.ok(isMureError(error, 'invalid'))
    assert.match(error.message, message)
    return true
  }
  return false
}

test('base 36 comes back as it went', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const digits = toBase36(bytes, 50)
      assert.equal(digits.length, 50)
      assert.deepEqual(fromBase36(digits, 32), Buffer.from(bytes))
    }),
  )
})

test('a token has the form of Swarm and carries the digest of the root', () => {
  fc.assert(
    fc.property(fc.string(), (root) => {
      const token = createJoinToken(root)
      assert.match(token, /^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/)
      assert.equal(parseJoinToken(` ${token}\n`).digest, rootDigest(root))
      assert.equal(digestHex(rootDigest(root)), createHash('sha256').update(root).digest('hex'))
      assert.ok(sameToken(token, token) && !sameToken(token, createJoinToken(root)))
    }),
  )
})

test('what is no token is refused in the words of Swarm', () => {
  const refused = refuses(
    parseJoinToken,
    /^(?:invalid join token|A valid join token is necessary to join this cluster)$/,
  )
  const token = createJoinToken('root')
  for (const bad of ['', 'SWMTKN', token.slice(1), `${token}x`, token.slice(0, -1), token.toUpperCase()])
    assert.ok(refused(bad), bad)
  assert.ok(refused(token.replace('SWMTKN-1', 'SWMTKN-2')))
  assert.ok(refused(token.replace('SWMTKN-1', 'SWMTKN-2-1')))
  fc.assert(fc.property(fc.string(), refused))
})

test('an unlock key has the form of Swarm and one spelling', () => {
  const refused = refuses(parseUnlockKey, /^invalid key string$/)
  for (let i = 0; i < 50; i++) {
    const key = createUnlockKey()
    assert.match(key, /^SWMKEY-1-[A-Za-z0-9+/]{43}$/)
    assert.equal(parseUnlockKey(` ${key}\n`).length, 32)
    const last = key.at(-1) === 'B' ? 'C' : 'B'
    for (const bad of [
      key.slice(0, -1),
      `${key}A`,
      `${key}=`,
      key.replace('-1-', '-2-'),
      key.slice(0, -1) + last,
    ])
      assert.ok(refused(bad), bad)
  }
  fc.assert(fc.property(fc.string(), refused))
})
