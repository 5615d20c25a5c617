import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import { connectRpc } from '#rpc/client.ts'
import type { Identity, RpcServer } from '#rpc/transport.ts'
import { crossSign } from '#security/authority.ts'
import { anIdentity, aRoot } from '#security/testing/identities.ts'
import { connect, listen, manager, root, worker } from './fixture.ts'

const yearMs = 365 * 24 * 3_600_000
const register = (server: RpcServer) => {
  server.unary('POST', '/node', 'node', async () => ({ ok: true }))
  server.unary('POST', '/manager', 'manager', async () => ({ ok: true }))
  server.unary('POST', '/renew', 'renewal', async ({ peer }) => ({ expired: peer.expired }))
}
const unauthenticated = (message: RegExp) => (error: unknown) => {
  assert.ok(isMureError(error, 'unauthenticated'), String(error))
  assert.match(error.message, message)
  return true
}

/** A call whose sender does not care who the server is. */
function callBlindly(address: string, identity: Identity): Promise<string> {
  const session = connectHttp2(`https://${address}`, {
    rejectUnauthorized: false,
    cert: identity.certificate,
    key: identity.key,
  })
  session.on('error', () => undefined)
  const stream = session.request({ ':method': 'POST', ':path': '/node' })
  stream.end('{}')
  return new Promise((resolve) => {
    let text = ''
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
    stream.on('close', () => {
      session.destroy()
      resolve(text)
    })
  })
}

test('who is not of the cluster is told so by the manager', async () => {
  await using listening = await listen(register)
  const refusals: [Identity, RegExp][] = [
    [await anIdentity(await aRoot(), 'manager'), /not issued by this cluster/],
    [await anIdentity(root, 'manager', { clusterId: 'other' }), /of another cluster/],
    [
      await anIdentity(root, 'worker', { now: Date.now() + yearMs }),
      /valid only from .*set the clocks right/,
    ],
  ]
  for (const [identity, message] of refusals)
    assert.match(await callBlindly(listening.address, identity), message)
  assert.match(await callBlindly(listening.address, worker), /ok/)
})

test('who is not a manager of the cluster is told nothing', async () => {
  const stranger = await anIdentity(await aRoot(), 'manager')
  const other = await anIdentity(root, 'manager', { clusterId: 'other' })
  const refusals: [Identity, RegExp][] = [
    [stranger, /is refused: its certificate was not issued by this cluster/],
    [other, /is refused: it is of another cluster/],
    [worker, /is refused: it is not a manager/],
  ]
  for (const [identity, message] of refusals) {
    await using listening = await listen(register, { identity })
    await assert.rejects(connect(listening.address), unauthenticated(message))
  }
  await using listening = await listen(register, { identity: worker })
  await using _ = await connect(listening.address, { serverRole: 'worker' })
})

test('an expired certificate is good for renewal alone, however old', async () => {
  await using listening = await listen(register)
  const old = await anIdentity(root, 'worker', { now: Date.now() - 5 * yearMs })
  await using _ = await connect(listening.address, { identity: old })
  await assert.rejects(_.client.call('POST', '/node', {}, _.wait), (error: unknown) => {
    assert.ok(isMureError(error, 'unauthenticated'))
    assert.match(error.message, /has expired: it was valid until \d{4}-.*, and it is \d{4}-/)
    assert.deepEqual(error.details, { expired: true })
    return true
  })
  // A connection whose certificate was refused is of no more use.
  assert.ok(_.client.signal.aborted)
  await using again = await connect(listening.address, { identity: old })
  assert.deepEqual(await again.client.call('POST', '/renew', {}, again.wait), { expired: true })
})

test('a certificate that expires during a connection counts as expired from then on', async () => {
  let now = Date.now()
  const clock = { now: () => instant(now), monotonicMs: () => performance.now() }
  await using listening = await listen(register, { clock })
  await using _ = await connect(listening.address)
  assert.deepEqual(await _.client.call('POST', '/node', {}, _.wait), { ok: true })
  now += 2 * 3_600_000
  assert.deepEqual(await _.client.call('POST', '/renew', {}, _.wait), { expired: true })
  await assert.rejects(_.client.call('POST', '/node', {}, _.wait), unauthenticated(/has expired/))
})

test('a clock five years off is said, with both times', async () => {
  await using listening = await listen(register)
  const clockAt = (years: number) => ({
    now: () => instant(Date.now() + years * yearMs),
    monotonicMs: () => performance.now(),
  })
  const both = /is refused: .*\d{4}-\d\d-\d\dT.* and it is \d{4}-\d\d-\d\dT.* here: .*set the clocks right/
  for (const years of [-5, 5]) {
    using wait = startWait({ timeoutMs: 5_000 })
    const joining = connectRpc(listening.address, { trust: root.certificate, clock: clockAt(years) }, wait)
    await assert.rejects(joining, unauthenticated(both))
  }
  await assert.rejects(connect(listening.address, { clock: clockAt(-5) }), unauthenticated(both))
  // A node whose clock runs ahead takes its own certificate for expired: it may still ask for a new one.
  await using _ = await connect(listening.address, { clock: clockAt(5) })
})

test('a manager and a node that were both off for long find together again', async () => {
  const lately = { now: Date.now() - yearMs }
  await using listening = await listen(register, { identity: await anIdentity(root, 'manager', lately) })
  await assert.rejects(connect(listening.address), unauthenticated(/was valid until/))
  await using _ = await connect(listening.address, { identity: await anIdentity(root, 'worker', lately) })
  assert.deepEqual(await _.client.call('POST', '/renew', {}, _.wait), { expired: true })
})

test('a manager that is none any more loses its calls at once, and its connections when told', async () => {
  const managers = new Set<NodeId>([manager.nodeId])
  await using listening = await listen(register, { isManager: (nodeId) => managers.has(nodeId) })
  await using demoted = await connect(listening.address, { identity: manager })
  assert.deepEqual(await demoted.client.call('POST', '/manager', {}, demoted.wait), { ok: true })
  managers.clear()
  await assert.rejects(
    demoted.client.call('POST', '/manager', {}, demoted.wait),
    /only a manager may do this/,
  )
  await using calling = await connect(listening.address)
  await using silent = await connect(listening.address)
  await using other = await connect(listening.address, { identity: manager })
  await calling.client.call('POST', '/node', {}, calling.wait)
  await silent.client.call('POST', '/node', {}, silent.wait)
  assert.ok(!silent.client.signal.aborted)
  const gone = once(silent.client.signal, 'abort')
  listening.server.disconnect(worker.nodeId)
  await gone
  assert.deepEqual(await other.client.call('POST', '/node', {}, other.wait), { ok: true })
})

test('a root is replaced under running connections', async () => {
  await using listening = await listen(register)
  const { server, address } = listening
  await using early = await connect(address)
  const next = await aRoot()
  const crossSigned = await crossSign(root, next.certificate, instant(Date.now()))
  const both = root.certificate + next.certificate
  const ok = { ok: true }

  // The manager has a certificate of the new root; nodes that know only the old one accept it.
  const renewed = await anIdentity({ ...next, crossSigned }, 'manager')
  server.setIdentity({ ...renewed, trust: both })
  assert.deepEqual(await early.client.call('POST', '/node', {}, early.wait), ok)
  await using late = await connect(address)
  assert.deepEqual(await late.client.call('POST', '/node', {}, late.wait), ok)
  // A renewed node trusts the new root, alone or beside the old.
  const renewedWorker = await anIdentity({ ...next, crossSigned }, 'worker')
  for (const trust of [both, next.certificate]) {
    await using _ = await connect(address, { identity: renewedWorker, trust })
    assert.deepEqual(await _.client.call('POST', '/node', {}, _.wait), ok)
  }
  // A manager that has not yet heard of the rotation accepts the renewed node.
  await using behind = await listen(register)
  await using crossed = await connect(behind.address, { identity: renewedWorker, trust: both })
  assert.deepEqual(await crossed.client.call('POST', '/node', {}, crossed.wait), ok)

  // The end of the rotation: the old root counts no more, on open connections neither.
  server.setIdentity({ ...renewed, trust: next.certificate })
  await assert.rejects(
    early.client.call('POST', '/node', {}, early.wait),
    unauthenticated(/not issued by this cluster/),
  )
})
