import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { encode } from 'dns-packet'
import { isMureError } from '#lib/errors.ts'
import { Upstream } from './upstream.ts'

const ask = (id: number, name: string) => encode({ type: 'query', id, questions: [{ type: 'A', name }] })

const answerTo = (message: Buffer, ttl: number) =>
  encode({
    type: 'response',
    id: message.readUInt16BE(0),
    questions: [{ type: 'A', name: 'example.org' }],
    answers: [{ type: 'A', name: 'example.org', ttl, data: '192.0.2.1' }],
  })

async function server(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { socket, port: socket.address().port }
}

test('an answer is kept for as long as it says, and given to each question with its own number', async () => {
  const { socket, port } = await server()
  let asked = 0
  socket.on('message', (message, from) => {
    asked += 1
    socket.send(answerTo(message, 20), from.port, from.address)
  })
  let now = 0
  const clock = { monotonicMs: () => now }
  const upstream = new Upstream({ servers: () => Promise.resolve(['127.0.0.1']), clock, port })
  const first = await upstream.ask(ask(1, 'example.org'), 'a', 'udp')
  now = 5_000
  const second = await upstream.ask(ask(2, 'example.org'), 'b', 'udp')
  assert.deepEqual([first.readUInt16BE(0), second.readUInt16BE(0), asked], [1, 2, 1])
  now = 25_000
  await upstream.ask(ask(3, 'example.org'), 'a', 'udp')
  assert.equal(asked, 2)
  socket.close()
})

test('one asker cannot take the place of the others', async () => {
  const { socket, port } = await server()
  const held: (() => void)[] = []
  socket.on('message', (message, from) => {
    held.push(() => {
      socket.send(answerTo(message, 0), from.port, from.address)
    })
  })
  const clock = { monotonicMs: () => 0 }
  const upstream = new Upstream({ servers: () => Promise.resolve(['127.0.0.1']), clock, port })
  const flood = Array.from({ length: 200 }, (_, index) =>
    upstream.ask(ask(index, `n${String(index)}.example.org`), 'flooder', 'udp').then(
      () => 'answered',
      (error: unknown) => (isMureError(error, 'exhausted') ? 'refused' : 'failed'),
    ),
  )
  const other = upstream.ask(ask(999, 'example.org'), 'other', 'udp')
  while (held.length < 65) await once(socket, 'message')
  for (const release of held) release()
  assert.equal((await other).readUInt16BE(0), 999)
  const outcomes = await Promise.all(flood)
  assert.equal(outcomes.filter((outcome) => outcome === 'refused').length, 136)
  socket.close()
})
