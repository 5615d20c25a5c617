import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { decode, encode } from 'dns-packet'
import fc from 'fast-check'
import { systemRandom } from '#lib/random.ts'
import { Edition } from './edition.ts'
import { renderAnswer } from './message.ts'
import { serveNames } from './server.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent, child: () => logger }
const question = (id: number, name: string) =>
  encode({ type: 'query', id, flags: 256, questions: [{ type: 'A', name }] })

/** A server of one name, whose address is what `state` says, with a client of it. */
async function served(upstream = () => Promise.reject<Buffer>(new Error('nobody is asked'))) {
  const client = createSocket('udp4')
  client.bind(0, '127.0.0.1')
  await once(client, 'listening')
  const state = { last: 1, resolved: 0 }
  const edition = new Edition()
  const port = client.address().port
  const address = '127.53.0.1'
  const server = await serveNames({
    ...{ address, port, edition, logger, random: systemRandom },
    find: () => Promise.resolve(false),
    upstream: { ask: upstream },
    resolve: (query, _from, limit) => {
      state.resolved += 1
      if (query.name !== 'web') return undefined
      const data = Buffer.from([10, 0, 0, state.last])
      return renderAnswer(query, [{ type: 1, data }], { ttlSeconds: 5, limit })
    },
  })
  const send = (message: Uint8Array) => {
    client.send(message, port, address)
  }
  return {
    ...{ state, edition, client, send },
    async ask(id: number, name: string) {
      // The kernel drops what a full queue has no room for, as it may anywhere.
      const again = setInterval(() => {
        send(question(id, name))
      }, 100)
      send(question(id, name))
      try {
        return decode(await answerTo(client, id))
      } finally {
        clearInterval(again)
      }
    },
    async [Symbol.asyncDispose]() {
      client.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

async function answerTo(client: Socket, id: number): Promise<Buffer> {
  for (;;) {
    const [message] = (await once(client, 'message')) as [Buffer]
    if (message.readUInt16BE(0) === id) return message
  }
}

const addressIn = (reply: ReturnType<typeof decode>) =>
  (reply.answers?.[0] as { data?: string } | undefined)?.data

test('what was answered is ready for the next, and is not given once names have changed', async () => {
  await using server = await served()
  for (let id = 1; id < 10; id++) assert.equal(addressIn(await server.ask(id, 'web')), '10.0.0.1')
  assert.equal(server.state.resolved, 1)
  server.state.last = 2
  server.edition.advance()
  assert.equal(addressIn(await server.ask(20, 'web')), '10.0.0.2')
  assert.equal(server.state.resolved, 2)
})

test('a flood of questions that nobody answers, and of bytes that are none, leaves the server answering', async () => {
  const waiting: (() => void)[] = []
  await using server = await served(
    () =>
      new Promise((_resolve, reject) => {
        waiting.push(() => {
          reject(new Error('nobody answers'))
        })
      }),
  )
  await server.ask(1, 'web')
  for (let id = 0; id < 1_000; id++) server.send(question(id, `n${String(id)}.example.org`))
  for (const bytes of fc.sample(fc.uint8Array({ minLength: 1, maxLength: 600 }), { numRuns: 1_000, seed: 1 }))
    server.send(bytes)
  assert.equal(addressIn(await server.ask(2_000, 'web')), '10.0.0.1')
  // What is more than an asker may have waiting fails without bothering anybody.
  assert.ok(waiting.length <= 256, String(waiting.length))
  for (const release of waiting) release()
})
