import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createTcp } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { after, before, test } from 'node:test'
import { isMureError, MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { connectRpc, fetchRootCertificate } from '#rpc/client.ts'
import { digestHex, rootDigest } from '#security/join-token.ts'
import { connect, connectStranger, listen, manager, root } from './fixture.ts'
import type { Listening } from './fixture.ts'

let listening: Listening
let address: string
let cancelled: Promise<unknown>

before(async () => {
  listening = await listen((server) => {
    server.unary('GET', '/v1/ca/root', 'anyone', async () => ({ certificates: root.certificate }))
    server.unary<{ text: string }, object>('POST', '/echo', 'node', async ({ body, peer }) => ({
      length: body.text.length,
      from: peer.nodeId,
      role: peer.role,
      address: peer.remoteAddress,
    }))
    server.unary('POST', '/fails', 'node', async () => {
      throw new MureError('conflict', 'update out of sequence', { details: { id: 'x' } })
    })
    server.unary('POST', '/breaks', 'node', async () => {
      throw new TypeError('a defect')
    })
    server.unary('POST', '/never', 'node', async ({ signal }) => {
      cancelled = once(signal, 'abort')
      await cancelled
      return {}
    })
    server.unary('POST', '/managers', 'manager', async () => ({}))
  })
  address = listening.address
})
after(() => listening[Symbol.asyncDispose]())

const failsWith = (code: Parameters<typeof isMureError>[1], message: RegExp) => (error: unknown) => {
  assert.ok(isMureError(error, ...(code === undefined ? [] : [code])), String(error))
  assert.match(error.message, message)
  return true
}

test('calls carry JSON both ways and say who calls', async () => {
  await using _ = await connect(address)
  const { client, wait } = _
  assert.deepEqual(await client.call('POST', '/echo', { text: 'hi' }, wait), {
    length: 2,
    from: 'worker1',
    role: 'worker',
    address: '127.0.0.1',
  })
})

test('an error arrives with its code, message and details', async () => {
  await using _ = await connect(address)
  const { client, wait } = _
  await assert.rejects(client.call('POST', '/fails', {}, wait), (error: unknown) => {
    assert.ok(isMureError(error, 'conflict'))
    assert.equal(error.message, 'update out of sequence')
    assert.deepEqual(error.details, { id: 'x' })
    return true
  })
  await assert.rejects(client.call('POST', '/breaks', {}, wait), failsWith('internal', /a defect/))
  await assert.rejects(client.call('POST', '/none', {}, wait), failsWith('not-found', /no call POST \/none/))
})

test('who may call what', async () => {
  await using asWorker = await connect(address)
  await assert.rejects(
    asWorker.client.call('POST', '/managers', {}, asWorker.wait),
    failsWith('forbidden', /only a manager/),
  )
  await using asManager = await connect(address, { identity: manager })
  assert.deepEqual(await asManager.client.call('POST', '/managers', {}, asManager.wait), {})
  await using stranger = await connectStranger(address)
  for (const path of ['/echo', '/managers'])
    await assert.rejects(
      stranger.client.call('POST', path, {}, stranger.wait),
      failsWith('unauthenticated', /node certificate is needed/),
    )
})

test('a body may be 16 MiB; a larger one is refused and the connection goes on', async () => {
  await using _ = await connect(address, {}, 30_000)
  const { client, wait } = _
  const text = 'x'.repeat(16 * 1024 * 1024 - 100)
  assert.equal(
    (await client.call<object, { length: number }>('POST', '/echo', { text }, wait)).length,
    text.length,
  )
  const huge = 'x'.repeat(100_000_000)
  await assert.rejects(client.call('POST', '/echo', { text: huge }, wait), failsWith('invalid', /too large/))
  assert.ok(await client.call('POST', '/echo', { text: '' }, wait))
})

test('a stranger may send little and call little at a time', async () => {
  await using _ = await connectStranger(address)
  const { client, wait } = _
  const pad = 'x'.repeat(100_000)
  await assert.rejects(client.call('POST', '/v1/ca/root', { pad }, wait), failsWith('not-found', /no call/))
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, () => client.call('GET', '/v1/ca/root', {}, wait)),
  )
  assert.ok(results.some((result) => result.status === 'fulfilled'))
})

test('a caller that no longer waits cancels the call at the other end', async () => {
  await using _ = await connect(address)
  using short = startWait({ timeoutMs: 100, what: 'the impossible' })
  await assert.rejects(
    _.client.call('POST', '/never', {}, short),
    failsWith('timeout', /waited \d\.\d s for the impossible/),
  )
  await cancelled
  await assert.rejects(_.client.call('POST', '/echo', {}, short), failsWith('timeout', /the impossible/))
})

test('calls in progress fail at once when the connection goes', async () => {
  const other = await listen((server) => {
    server.unary('POST', '/never', 'node', () => new Promise(() => undefined))
  })
  await using _ = await connect(other.address)
  const call = _.client.call('POST', '/never', {}, _.wait)
  const rejected = assert.rejects(call, failsWith('unavailable', /connection to .* was lost/))
  await new Promise((resolve) => setTimeout(resolve, 50))
  await other[Symbol.asyncDispose]()
  await rejected
  assert.ok(_.client.signal.aborted)
  await assert.rejects(_.client.call('POST', '/never', {}, _.wait), failsWith('unavailable', /was lost/))
})

test('the root is fetched by the digest of a join token', async () => {
  using wait = startWait({ timeoutMs: 5_000 })
  assert.equal(await fetchRootCertificate(address, rootDigest(root.certificate), wait), root.certificate)
  const other = rootDigest('another root')
  await assert.rejects(
    fetchRootCertificate(address, other, wait),
    failsWith(
      'unauthenticated',
      new RegExp(`remote CA does not match fingerprint. Expected: ${digestHex(other)}`),
    ),
  )
})

async function occupied(server: Server, work: (address: string) => Promise<void>): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await work(`127.0.0.1:${String((server.address() as AddressInfo).port)}`)
  } finally {
    server.close()
  }
}

test('what does not answer, and what is no manager, is said with its address', async () => {
  const attempt = async (at: string, code: Parameters<typeof isMureError>[1], message: RegExp) => {
    using wait = startWait({ timeoutMs: 700 })
    await assert.rejects(fetchRootCertificate(at, rootDigest(''), wait), failsWith(code, message))
  }
  await attempt('127.0.0.1:1', 'unavailable', /nothing listens at 127\.0\.0\.1:1: is it a manager/)
  await attempt('nowhere.invalid:2377', 'unavailable', /host name in nowhere\.invalid:2377/)
  await attempt('127.0.0.1', 'invalid', /"127\.0\.0\.1" is not an address: HOST:PORT/)
  await attempt('a:b:c', 'invalid', /HOST:PORT/)
  await attempt('host:99999', 'invalid', /HOST:PORT/)
  const silent = createTcp((socket) => socket.on('error', () => undefined).unref())
  await occupied(silent, (at) =>
    attempt(at, 'unavailable', new RegExp(`${at} does not answer: check the address`)),
  )
  const rude = createTcp((socket) => socket.destroy())
  await occupied(rude, (at) => attempt(at, 'unavailable', /closed the connection: is it a manager\?/))
  await occupied(createHttp(), (at) =>
    attempt(at, 'unavailable', /is not a Mure manager: it does not speak TLS/),
  )
  const { certificate: cert, key } = manager
  const web = createSecureServer({ cert, key })
  web.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    stream.end('<html>')
  })
  await occupied(web, (at) => attempt(at, 'unavailable', /is not a Mure manager: its answer is not JSON/))
  const empty = createSecureServer({ cert, key })
  empty.on('stream', (stream) => {
    stream.respond({ ':status': 404 })
    stream.end()
  })
  await occupied(empty, (at) => attempt(at, 'unavailable', /is not a Mure manager: it answered 404/))
  const flood = createSecureServer({ cert, key })
  flood.on('stream', (stream) => {
    stream.respond({ ':status': 200 })
    stream.on('error', () => undefined)
    stream.end(Buffer.alloc(10_000_000, 'x'))
  })
  await occupied(flood, (at) => attempt(at, 'invalid', /too large/))
})

test('a listener that cannot listen says why', async () => {
  await assert.rejects(
    listen(() => undefined, { port: listening.server.port }),
    failsWith('unavailable', /cannot listen on 127\.0\.0\.1:\d+: another program listens there/),
  )
})

test('connecting can be cancelled', async () => {
  const stop = new AbortController()
  using wait = startWait({ signal: stop.signal })
  stop.abort()
  await assert.rejects(connectRpc(address, { trust: root.certificate }, wait), failsWith('cancelled', /./))
})
