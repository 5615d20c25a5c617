import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import type { RootCa } from '#model/cluster.ts'
import type { NodeDescription } from '#model/node.ts'
import { createRequest, createRoot, issueNodeCertificate, issueStorePeer } from './authority.ts'
import { splitBundle } from './bundle.ts'
import { tlsInfo, verifyCertificate } from './certificate.ts'
import { endRotation, hasFollowed, issuerOf, signingRootOf, storeIssuerOf, trustOf } from './root-ca.ts'
import { beginRotation } from './root-rotation.ts'
import type { OutsideAuthorities } from './root-rotation.ts'

const now = instant(Date.now())
const validity = { now, lifeMs: 3_600_000 }
const subject = { nodeId: 'n1', clusterId: 'c1', role: 'worker' } as const

async function aRootCa(): Promise<RootCa> {
  return { ...(await createRoot(now)), epoch: 0 }
}

const certificateOf = async (rootCa: RootCa): Promise<string> =>
  issueNodeCertificate(issuerOf(rootCa), (await createRequest()).csr, subject, validity)

const isGood = (certificate: string, trust: string): boolean =>
  verifyCertificate(new X509Certificate(splitBundle(certificate)[0] ?? ''), trust, now).ok

function described(trust: string, certificate: string): NodeDescription['tls'] {
  const { trustRoot, issuerSubject, issuerPublicKey } = tlsInfo(trust, certificate)
  return { trustRoot, certificateIssuerSubject: issuerSubject, certificateIssuerPublicKey: issuerPublicKey }
}

const nobody: OutsideAuthorities = {
  signsWith: () => Promise.resolve(false),
  crossSign: () => Promise.reject(new Error('nobody signs')),
}
const somebody: OutsideAuthorities = {
  signsWith: () => Promise.resolve(true),
  crossSign: () => Promise.resolve('signed outside\n'),
}

test('a rotation begins with both roots trusted and the new one signing, and ends with the new one alone', async () => {
  const before = await aRootCa()
  const during = await beginRotation(before, {}, now, nobody)
  assert.equal(during.certificate, before.certificate)
  assert.equal(trustOf(during), before.certificate + signingRootOf(during))
  assert.ok(isGood(await certificateOf(during), signingRootOf(during)))
  const after = endRotation(during)
  assert.equal(trustOf(after), signingRootOf(during))
  assert.equal(after.epoch, 1)
  assert.equal(endRotation(after), after)
  assert.ok(!isGood(await certificateOf(before), trustOf(after)))
})

test('members of the store that know the previous root alone accept those of the new one, after the end too', async () => {
  const after = endRotation(await beginRotation(await aRootCa(), {}, now, nobody))
  const { csr } = await createRequest()
  const peer = await issueStorePeer(storeIssuerOf(after), csr, ['127.0.0.1'], validity)
  assert.equal(splitBundle(peer).length, 2)
  assert.equal(splitBundle(await certificateOf(after)).length, 1)
  let again = after
  for (let round = 0; round < 4; round++) again = endRotation(await beginRotation(again, {}, now, nobody))
  assert.equal(splitBundle(storeIssuerOf(again).crossSigned ?? '').length, 3)
})

test('a second rotation takes the place of the first', async () => {
  const before = await aRootCa()
  const first = await beginRotation(before, {}, now, nobody)
  const second = await beginRotation(first, {}, now, nobody)
  assert.equal(second.certificate, before.certificate)
  assert.notEqual(signingRootOf(second), signingRootOf(first))
})

test('a root that a person brings needs its key, and must be another', async () => {
  const rootCa = await aRootCa()
  const own = await createRoot(now)
  assert.equal(signingRootOf(await beginRotation(rootCa, own, now, nobody)).trim(), own.certificate.trim())
  await assert.rejects(
    async () => beginRotation(rootCa, { key: own.key }, now, nobody),
    /CA cert must also be provided/,
  )
  await assert.rejects(
    async () => beginRotation(rootCa, { certificate: own.certificate }, now, nobody),
    /external CA/,
  )
  await assert.rejects(async () => beginRotation(rootCa, rootCa, now, nobody), /identical key/)
})

test('a node has followed once its certificate is of the new root and it trusts that', async () => {
  const before = await aRootCa()
  const during = await beginRotation(before, {}, now, nobody)
  const old = await certificateOf(before)
  const renewed = await certificateOf(during)
  assert.ok(!hasFollowed(undefined, during))
  assert.ok(!hasFollowed(described(before.certificate, old), during))
  assert.ok(!hasFollowed(described(trustOf(during), old), during))
  assert.ok(hasFollowed(described(trustOf(during), renewed), during))
  assert.ok(hasFollowed(described(before.certificate, old), before))
})

test('an external authority signs with a root whose key the cluster does not have', async () => {
  const rootCa = await aRootCa()
  const own = await createRoot(now)
  const certificate = own.certificate
  await assert.rejects(beginRotation(rootCa, { certificate }, now, nobody), /corresponding to the desired CA/)
  const outside = endRotation(await beginRotation(rootCa, { certificate }, now, somebody))
  assert.deepEqual([outside.certificate.trim(), outside.key], [certificate.trim(), ''])
  // Its key is elsewhere: so is the signature over the next root.
  const back = await beginRotation(outside, {}, now, somebody)
  assert.equal(back.rotation?.crossSigned, 'signed outside\n')
  const other = (await createRoot(now)).certificate
  await assert.rejects(beginRotation(outside, { certificate: other }, now, somebody), /is not supported/)
  await assert.rejects(beginRotation(outside, {}, now, nobody), /corresponding to the current CA/)
})

test('the key of the present root is handed out', async () => {
  const rootCa = await aRootCa()
  const { certificate } = rootCa
  assert.deepEqual(await beginRotation(rootCa, { certificate }, now, somebody), { ...rootCa, key: '' })
  await assert.rejects(beginRotation(rootCa, { certificate }, now, nobody), /corresponding to the current CA/)
})
