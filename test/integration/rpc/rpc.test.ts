import assert from 'node:assert/strict'
import { pipeline } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { after, before, test } from 'node:test'
import { instant, systemClock } from '#lib/clock.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import { connectRpc, fetchRootCertificate } from '#rpc/client.ts'
import { startRpcServer } from '#rpc/server.ts'
import type { RpcServer } from '#rpc/transport.ts'
import { rootDigest } from '#security/join-token.ts'
import { anIdentity, aRoot } from '#security/testing/identities.ts'

const root = await aRoot()
const manager = await anIdentity(root, 'manager')
const worker = await anIdentity(root, 'worker')
let server: RpcServer
let address: string

before(async () => {
  server = await startRpcServer({
    host: '127.0.0.1',
    port: 0,
    identity: manager,
    clusterId: 'cluster',
    clock: systemClock,
    logger: silentLogger,
    isBlocked: (nodeId) => nodeId === 'blocked',
  })
  address = `127.0.0.1:${String(server.port)}`
  server.unary('GET', '/v1/ca/root', 'anyone', async () => ({ certificates: root.certificate }))
  server.unary<{ text: string }, { text: string; from: string }>(
    'POST',
    '/echo',
    'node',
    async ({ body, peer }) => ({
      text: body.text,
      from: peer.nodeId,
    }),
  )
  server.unary('POST', '/managers', 'manager', async () => ({}))
  server.unary('POST', '/renew', 'renewal', async () => ({ renewed: true }))
  server.unary('POST', '/fails', 'node', async () => {
    throw new MureError('conflict', 'update out of sequence', { details: { id: 'x' } })
  })
  server.stream<number, number>('/double', 'node', async (stream) => {
    for await (const n of stream) stream.send(n * 2)
  })
  server.raw('/raw/', 'node', async (rest, bytes) => {
    assert.equal(rest, 'abc')
    await pipeline(bytes, bytes)
  })
})
after(() => server[Symbol.asyncDispose]())

const connect = async (
  identity: Awaited<ReturnType<typeof anIdentity>> | undefined,
  trust = root.certificate,
) => {
  const wait = startWait({ timeoutMs: 5_000 })
  return { wait, client: await connectRpc(address, { ...(identity && { identity }), trust }, wait) }
}

test('calls carry JSON both ways and say who calls', async () => {
  const { client, wait } = await connect(worker)
  await using _ = client
  assert.deepEqual(await client.call('POST', '/echo', { text: 'hi' }, wait), { text: 'hi', from: 'worker1' })
})

test('an error arrives with its code, message and details', async () => {
  const { client, wait } = await connect(worker)
  await using _ = client
  await assert.rejects(client.call('POST', '/fails', {}, wait), (error: unknown) => {
    assert.ok(isMureError(error, 'conflict'))
    assert.equal(error.message, 'update out of sequence')
    assert.deepEqual(error.details, { id: 'x' })
    return true
  })
})

test('who may call what', async () => {
  const anonymous = await connect(undefined)
  await using _a = anonymous.client
  await assert.rejects(
    anonymous.client.call('POST', '/echo', {}, anonymous.wait),
    /node certificate is needed/,
  )
  const node = await connect(worker)
  await using _n = node.client
  await assert.rejects(node.client.call('POST', '/managers', {}, node.wait), /only a manager/)
  const stranger = await connect(await anIdentity(await aRoot(), 'manager'))
  await using _s = stranger.client
  await assert.rejects(stranger.client.call('POST', '/echo', {}, stranger.wait), /not issued by this cluster/)
  const other = await connect(await anIdentity(root, 'manager', { clusterId: 'other' }))
  await using _o = other.client
  await assert.rejects(other.client.call('POST', '/echo', {}, other.wait), /another cluster/)
  const blocked = await connect(await anIdentity(root, 'worker', { nodeId: 'blocked' }))
  await using _b = blocked.client
  await assert.rejects(blocked.client.call('POST', '/echo', {}, blocked.wait), /removed from the cluster/)
})

test('an expired certificate is good for renewal alone', async () => {
  const years = 5 * 365 * 24 * 3_600_000
  const old = await anIdentity(root, 'worker', { now: Date.now() - years })
  // The root is younger than that here; only the leaf's own time counts.
  assert.ok(instant(Date.now()))
  const { client, wait } = await connect(old)
  await using _ = client
  await assert.rejects(client.call('POST', '/echo', {}, wait), /has expired/)
  assert.deepEqual(await client.call('POST', '/renew', {}, wait), { renewed: true })
})

test('a server that is not a manager of our cluster is told nothing', async () => {
  await assert.rejects(
    connect(worker, (await aRoot()).certificate),
    /refused: its certificate was not issued/,
  )
})

test('the root is fetched by the digest of a join token', async () => {
  using wait = startWait({ timeoutMs: 5_000 })
  assert.equal(await fetchRootCertificate(address, rootDigest(root.certificate), wait), root.certificate)
  await assert.rejects(
    fetchRootCertificate(address, 'x'.repeat(50), wait),
    /remote CA does not match fingerprint/,
  )
})

test('messages flow both ways in order', async () => {
  const { client, wait } = await connect(worker)
  await using _ = client
  await using stream = await client.open<number, number>('/double', wait)
  for (let i = 0; i < 1000; i++) stream.send(i)
  let expected = 0
  for await (const n of stream) {
    assert.equal(n, expected * 2)
    if (++expected === 1000) break
  }
})

test('raw bytes flow with back-pressure and half-close', async () => {
  const { client, wait } = await connect(worker)
  await using _ = client
  const bytes = await client.openRaw('/raw/abc', wait)
  const total = 64 * 1024 * 1024
  let received = 0
  const reading = (async () => {
    for await (const chunk of bytes as AsyncIterable<Buffer>) received += chunk.length
  })()
  const block = Buffer.alloc(1024 * 1024)
  await pipeline(
    Readable.from(
      (function* () {
        for (let sent = 0; sent < total; sent += block.length) yield block
      })(),
    ),
    bytes,
    { end: true },
  )
  await reading
  assert.equal(received, total)
})

test('what does not answer, and what is no manager, is said', async () => {
  using wait = startWait({ timeoutMs: 2_000 })
  await assert.rejects(
    connectRpc('127.0.0.1:1', { trust: root.certificate }, wait),
    /nothing listens at 127\.0\.0\.1:1/,
  )
})
