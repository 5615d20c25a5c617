import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { connect, listen } from './fixture.ts'
import type { Listening } from './fixture.ts'

const mib = 1024 * 1024
let listening: Listening

before(async () => {
  listening = await listen((server) => {
    server.unary<object, object>('POST', '/echo', 'node', async ({ body }) => body)
    server.stream<object, object>('/messages', 'node', async (stream) => {
      for await (const message of stream) stream.send(message)
    })
    server.raw('/echo/', 'node', (_rest, bytes) => pipeline(bytes, bytes))
  })
})
after(() => listening[Symbol.asyncDispose]())

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

test('a gibibyte goes through a relay and back in little memory', async (t) => {
  await using connected = await connect(listening.address)
  const bytes = await connected.client.openRaw('/echo/', connected.wait)
  const block = Buffer.alloc(64 * 1024)
  const total = 1024 * mib
  let received = 0
  let peak = 0
  const before = process.memoryUsage().rss
  const sampling = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss - before)), 50)
  const taken = await seconds(async () => {
    const source = Readable.from(
      (function* () {
        for (let sent = 0; sent < total; sent += block.length) yield block
      })(),
      { objectMode: false },
    )
    await Promise.all([
      pipeline(source, bytes, { end: true }),
      (async () => {
        for await (const chunk of bytes as AsyncIterable<Buffer>) received += chunk.length
      })(),
    ])
  })
  clearInterval(sampling)
  assert.equal(received, total)
  t.diagnostic(
    `${(total / mib / taken).toFixed(0)} MiB/s there and back in one process, ${(peak / mib).toFixed(0)} MiB more memory at the peak`,
  )
  assert.ok(peak < 200 * mib)
})

test('calls and messages per second', async (t) => {
  await using connected = await connect(listening.address, {}, 60_000)
  const { client, wait } = connected
  const count = 20_000
  const body = { type: 'beat', at: 0, nodes: ['n1', 'n2', 'n3'] }
  let next = 0
  const caller = async () => {
    while (next++ < count) await client.call('POST', '/echo', body, wait)
  }
  const calls = await seconds(() => Promise.all(Array.from({ length: 64 }, caller)))
  t.diagnostic(`${(count / calls).toFixed(0)} calls/s, 64 in flight`)

  await using stream = await client.open<object, object>('/messages', wait)
  const messages = 200_000
  const echo = await seconds(async () => {
    let sent = 0
    const more = () => {
      while (sent < messages && stream.pendingBytes < mib && sent % 64 !== 63) {
        stream.send(body)
        sent += 1
      }
      if (sent < messages) {
        stream.send(body)
        sent += 1
        setImmediate(more)
      }
    }
    more()
    let received = 0
    for await (const _ of stream) if (++received === messages) break
  })
  t.diagnostic(`${(messages / echo).toFixed(0)} messages/s there and back`)
})
