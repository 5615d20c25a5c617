import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import {
  createRequest,
  createRoot,
  crossSign,
  importRoot,
  issueNodeCertificate,
  issueStorePeer,
} from './authority.ts'
import { certificateFacts, renewalTime, tlsInfo, verifyCertificate } from './certificate.ts'
import { createJoinToken, parseJoinToken, rootDigest, sameToken } from './join-token.ts'
import { newKey, open, seal } from './seal.ts'
import { createUnlockKey, parseUnlockKey } from './unlock-key.ts'

const now = instant(Date.UTC(2026, 0, 1))
const dayMs = 24 * 3_600_000

test('a node certificate says who its bearer is and chains to the root', async () => {
  const root = await createRoot(now)
  const { csr } = await createRequest()
  const certificate = await issueNodeCertificate(
    root,
    csr,
    { nodeId: 'n1', clusterId: 'c1', role: 'manager' },
    { now, lifeMs: 90 * dayMs },
  )
  const facts = certificateFacts(certificate)
  assert.equal(facts.nodeId, 'n1')
  assert.equal(facts.clusterId, 'c1')
  assert.equal(facts.role, 'manager')
  const parsed = new X509Certificate(certificate)
  assert.deepEqual(verifyCertificate(parsed, root.certificate, now), { ok: true, expired: false })
  const later = instant(now + 91 * dayMs)
  assert.deepEqual(verifyCertificate(parsed, root.certificate, later), { ok: true, expired: true })
  const fiveYearsAgo = instant(now - 5 * 365 * dayMs)
  assert.match(
    JSON.stringify(verifyCertificate(parsed, root.certificate, fiveYearsAgo)),
    /set the clocks right/,
  )
  const stranger = await createRoot(now)
  assert.equal(verifyCertificate(parsed, stranger.certificate, now).ok, false)
})

test('a store peer certificate names its addresses and is no node', async () => {
  const root = await createRoot(now)
  const { csr } = await createRequest()
  const parsed = new X509Certificate(
    await issueStorePeer(root, csr, ['10.0.0.1', '127.0.0.1'], { now, lifeMs: dayMs }),
  )
  assert.match(parsed.subjectAltName ?? '', /10\.0\.0\.1/)
  assert.equal(certificateFacts(parsed).role, undefined)
})

test('a cross-signed root chains to the old one', async () => {
  const old = await createRoot(now)
  const next = await createRoot(now)
  const crossed = new X509Certificate(await crossSign(old, next.certificate, now))
  assert.equal(verifyCertificate(crossed, old.certificate, now).ok, true)
  assert.deepEqual(
    crossed.publicKey.export({ type: 'spki', format: 'der' }),
    new X509Certificate(next.certificate).publicKey.export({ type: 'spki', format: 'der' }),
  )
})

test("a person's own root: the key must be its own", async () => {
  const root = await createRoot(now)
  const other = await createRoot(now)
  assert.equal((await importRoot(root.certificate, root.key)).certificate, root.certificate)
  await assert.rejects(importRoot(root.certificate, other.key), /does not belong/)
  await assert.rejects(importRoot('nonsense', root.key), /cannot be read/)
})

test('tokens have the form of Swarm and carry the digest of the root', async () => {
  const root = await createRoot(now)
  const token = createJoinToken(root.certificate)
  assert.match(token, /^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/)
  assert.equal(parseJoinToken(token).digest, rootDigest(root.certificate))
  assert.equal(sameToken(token, token), true)
  assert.equal(sameToken(token, createJoinToken(root.certificate)), false)
  for (const bad of ['', 'SWMTKN-2-x-y', `${token}x`, token.slice(1)])
    assert.throws(() => parseJoinToken(bad), /invalid join token/)
})

test('unlock keys have the form of Swarm', () => {
  const key = createUnlockKey()
  assert.match(key, /^SWMKEY-1-[A-Za-z0-9+/]{43}$/)
  assert.equal(parseUnlockKey(key).length, 32)
  for (const bad of ['', 'SWMKEY-1-', `${key.slice(0, -4)}`, key.replace('1', '2')])
    assert.throws(() => parseUnlockKey(bad), /invalid unlock key/)
})

test('what is sealed opens with the same key and context only', () => {
  const ring = { keys: [{ id: 1, key: newKey() }] }
  const rotated = { keys: [...ring.keys, { id: 2, key: newKey() }] }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.string(), (bytes, context) => {
      const sealed = seal(ring, Buffer.from(bytes), context)
      assert.deepEqual(open(rotated, sealed, context), Buffer.from(bytes))
      assert.throws(() => open(ring, sealed, `${context}x`))
      sealed.writeUInt8(sealed.readUInt8(sealed.length - 1) ^ 1, sealed.length - 1)
      assert.throws(() => open(ring, sealed, context))
    }),
    { numRuns: 50 },
  )
})

test('renewal falls between half and four fifths of a life', () => {
  const facts = { notBefore: now, notAfter: instant(now + 100 * dayMs) }
  for (let seed = 0; seed < 50; seed++) {
    const at = renewalTime(facts, seededRandom(seed))
    assert.ok(at >= now + 50 * dayMs && at <= now + 80 * dayMs)
  }
})

test('TLSInfo is what Docker shows', async () => {
  const root = await createRoot(now)
  const info = tlsInfo(root.certificate)
  assert.equal(info.issuerSubject, 'MBMxETAPBgNVBAMTCHN3YXJtLWNh')
})
