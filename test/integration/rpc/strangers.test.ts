import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import type { RpcServer } from '#rpc/transport.ts'
import { defaultStrangerLimits } from '#rpc/strangers.ts'
import { connect, connectStranger, listen } from './fixture.ts'

const limits = { ...defaultStrangerLimits, connections: 20, handshakeMs: 1_000, lifeMs: 1_500, calls: 4 }
const register = (server: RpcServer) => {
  server.unary('GET', '/root', 'anyone', async () => ({ ok: true }))
  server.unary('POST', '/join', 'anyone', async () => ({ ok: true }))
  server.unary('GET', '/slow', 'anyone', () => new Promise(() => undefined))
  server.unary('POST', '/node', 'node', async () => ({ ok: true }))
}

test('a flood of connections that say nothing keeps nobody out, and does not pile up', async () => {
  await using listening = await listen(register, { strangers: limits })
  const { address, server } = listening
  await using early = await connect(address)
  const sockets: Socket[] = []
  let open = 0
  try {
    for (let i = 0; i < 500; i++) {
      const socket = connectTcp(server.port, '127.0.0.1')
      socket.on('error', () => undefined).on('close', () => (open -= 1))
      sockets.push(socket)
      open += 1
      if (i % 100 === 50) {
        await using node = await connect(address)
        assert.deepEqual(await node.client.call('POST', '/node', {}, node.wait), { ok: true })
        await using joiner = await connectStranger(address)
        assert.deepEqual(await joiner.client.call('GET', '/root', {}, joiner.wait), { ok: true })
      }
    }
    for (const socket of sockets) if (socket.connecting) await once(socket, 'connect').catch(() => undefined)
    for (let i = 0; i < 50 && open > limits.connections; i++)
      await new Promise((resolve) => setTimeout(resolve, 20))
    assert.ok(open <= limits.connections, `${String(open)} are open`)
    assert.deepEqual(await early.client.call('POST', '/node', {}, early.wait), { ok: true })
    for (let i = 0; i < 150 && open > 0; i++) await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(open, 0, 'an unfinished handshake is given up')
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test('nobody stays a stranger for long; a node stays', async () => {
  await using listening = await listen(register, { strangers: limits })
  await using stranger = await connectStranger(listening.address)
  await using node = await connect(listening.address)
  await once(stranger.client.signal, 'abort')
  assert.deepEqual(await node.client.call('POST', '/node', {}, node.wait), { ok: true })
})

test('a stranger has few calls at a time, and small ones', async () => {
  await using listening = await listen(register, { strangers: limits })
  await using stranger = await connectStranger(listening.address)
  const { client, wait } = stranger
  for (let i = 0; i < limits.calls; i++) client.call('GET', '/slow', {}, wait).catch(() => undefined)
  await assert.rejects(client.call('GET', '/root', {}, wait), /too many calls/)
  await using other = await connectStranger(listening.address)
  const pad = 'x'.repeat(limits.bodyBytes)
  await assert.rejects(other.client.call('POST', '/join', { pad }, other.wait), /too large/)
  assert.deepEqual(await other.client.call('POST', '/join', {}, other.wait), { ok: true })
})
