import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { createRequest, createRoot, issueNodeCertificate } from './authority.ts'
import type { KeyPair } from './authority.ts'
import { certificateFacts, isHalfOver, renewalTime, tlsInfo, verifyCertificate } from './certificate.ts'

const now = instant(Date.UTC(2026, 0, 1))
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const subject = { nodeId: 'n1', clusterId: 'c1', role: 'worker' } as const

async function aCertificate(root: KeyPair): Promise<X509Certificate> {
  const { csr } = await createRequest()
  return new X509Certificate(await issueNodeCertificate(root, csr, subject, { now, lifeMs: 90 * dayMs }))
}

test('a certificate is good while it lasts, and afterwards for renewal', async () => {
  const root = await createRoot(now)
  const certificate = await aCertificate(root)
  const at = (ms: number) => verifyCertificate(certificate, root.certificate, instant(now + ms))
  assert.deepEqual(at(0), { ok: true, expired: false })
  assert.deepEqual(at(-59 * 60_000), { ok: true, expired: false })
  assert.deepEqual(at(90 * dayMs), { ok: true, expired: false })
  assert.deepEqual(at(91 * dayMs), { ok: true, expired: true })
  assert.deepEqual(at(5 * 365 * dayMs), { ok: true, expired: true })
})

test('a clock that is five years behind is told both times', async () => {
  const root = await createRoot(now)
  const past = instant(now - 5 * 365 * dayMs)
  const verified = verifyCertificate(await aCertificate(root), root.certificate, past)
  assert.ok(!verified.ok)
  assert.equal(
    verified.reason,
    'its certificate is valid only from 2025-12-31T23:00:00.000Z, and it is 2021-01-02T00:00:00.000Z here: set the clocks right',
  )
})

test('any of several roots will do; another cluster, of the same name, will not', async () => {
  const root = await createRoot(now)
  const other = await createRoot(now)
  const certificate = await aCertificate(root)
  assert.equal(verifyCertificate(certificate, other.certificate + root.certificate, now).ok, true)
  assert.equal(verifyCertificate(certificate, other.certificate, now).ok, false)
  assert.equal(verifyCertificate(certificate, '', now).ok, false)
})

test('a node cannot vouch for another: its certificate is no authority', async () => {
  const root = await createRoot(now)
  const { csr, key } = await createRequest()
  const worker = await issueNodeCertificate(root, csr, subject, { now, lifeMs: dayMs })
  const forged = await aCertificate({ certificate: worker, key })
  assert.equal(verifyCertificate(forged, root.certificate, now).ok, false)
  // Not even where somebody put that certificate among the roots.
  assert.equal(verifyCertificate(forged, worker, now).ok, false)
})

test('renewal falls between half and four fifths of a life', () => {
  for (const lifeMs of [hourMs, 90 * dayMs]) {
    const facts = { notBefore: instant(now - hourMs), notAfter: instant(now + lifeMs) }
    const times = Array.from({ length: 200 }, (_, seed) => renewalTime(facts, seededRandom(seed)))
    assert.ok(Math.min(...times) >= now + lifeMs * 0.5)
    assert.ok(Math.max(...times) < now + lifeMs * 0.8)
    assert.ok(Math.max(...times) - Math.min(...times) > lifeMs * 0.25)
  }
})

test('a certificate of an hour is not half over when it is made', () => {
  for (const lifeMs of [hourMs, 90 * dayMs]) {
    const facts = { notBefore: instant(now - hourMs), notAfter: instant(now + lifeMs) }
    assert.equal(isHalfOver(facts, instant(now + lifeMs * 0.49)), false)
    assert.equal(isHalfOver(facts, instant(now + lifeMs * 0.51)), true)
  }
})

test('TLSInfo is what Docker shows, of the root that issued the certificate', async () => {
  const root = await createRoot(now)
  const next = await createRoot(now)
  const { csr } = await createRequest()
  const own = await issueNodeCertificate(next, csr, subject, { now, lifeMs: dayMs })
  const trust = root.certificate + next.certificate
  const publicKey = (pair: KeyPair) =>
    new X509Certificate(pair.certificate).publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  assert.deepEqual(tlsInfo(trust), {
    trustRoot: trust,
    issuerSubject: 'MBMxETAPBgNVBAMTCHN3YXJtLWNh',
    issuerPublicKey: publicKey(root),
  })
  assert.equal(tlsInfo(trust, own).issuerPublicKey, publicKey(next))
})

test('the facts of a certificate', async () => {
  const root = await createRoot(now)
  const facts = certificateFacts(await aCertificate(root))
  assert.equal(facts.nodeId, 'n1')
  assert.equal(facts.clusterId, 'c1')
  assert.equal(facts.role, 'worker')
  assert.match(facts.publicKeyDigest, /^[0-9a-f]{64}$/)
})
