import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect as connectTcp, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { after, before, test } from 'node:test'
import { isMureError, MureError } from '#lib/errors.ts'
import type { MessageStream, RpcServer } from '#rpc/transport.ts'
import { connect, listen } from './fixture.ts'
import type { Listening } from './fixture.ts'

let listening: Listening
const heard: { stream?: MessageStream<unknown, unknown>; error?: unknown; bytes?: Duplex } = {}

const register = (server: RpcServer) => {
  server.stream<number, number>('/double', 'node', async (stream) => {
    for await (const n of stream) stream.send(n * 2)
  })
  server.stream('/listen', 'node', async (stream) => {
    heard.stream = stream
    delete heard.error
    try {
      for await (const _ of stream);
    } catch (error) {
      heard.error = error
      throw error
    }
  })
  server.stream('/idle', 'node', async (stream) => {
    heard.stream = stream
    await once(stream.signal, 'abort')
  })
  server.stream('/refuse', 'node', async () => {
    throw new MureError('forbidden', 'not you', { details: { why: 'x' } })
  })
  server.stream('/bye', 'node', async (stream) => {
    stream.send('last words')
    stream.close('replaced by a newer session')
  })
  server.raw('/echo/', 'node', async (rest, bytes) => {
    assert.equal(rest, 'a/b')
    await pipeline(bytes, bytes)
  })
  server.raw('/give/', 'node', async (_rest, bytes) => {
    heard.bytes = bytes
    bytes.write(Buffer.alloc(1000))
    bytes.resume()
    await once(bytes, 'close').catch(() => undefined)
  })
  server.raw('/refuse/', 'node', async (rest) => {
    throw new MureError('unavailable', `node ${rest} is not connected`)
  })
}

before(async () => {
  listening = await listen(register)
})
after(() => listening[Symbol.asyncDispose]())

const open = async <In, Out>(path: string) => {
  const connected = await connect(listening.address)
  const stream = await connected.client.open<In, Out>(path, connected.wait)
  return { connected, stream }
}
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
const until = async (condition: () => boolean) => {
  for (let i = 0; i < 200 && !condition(); i++) await sleep(20)
  assert.ok(condition())
}

test('a thousand messages flow both ways, in order', async () => {
  const { connected, stream } = await open<number, number>('/double')
  await using _ = connected
  for (let i = 0; i < 1000; i++) stream.send(i)
  let expected = 0
  for await (const n of stream) {
    assert.equal(n, expected * 2)
    if (++expected === 1000) break
  }
  // Leaving the loop has not ended the stream.
  stream.send(7)
  for await (const n of stream) {
    assert.equal(n, 14)
    break
  }
})

test('a close says why, after all that was sent', async () => {
  const { connected, stream } = await open<string, never>('/bye')
  await using _ = connected
  const messages: string[] = []
  for await (const message of stream) messages.push(message)
  assert.deepEqual(messages, ['last words'])
  assert.equal(stream.closeReason, 'replaced by a newer session')
  await until(() => stream.signal.aborted)
})

test("what the other end's handler throws is thrown by the iteration", async () => {
  const { connected, stream } = await open<string, never>('/refuse')
  await using _ = connected
  await assert.rejects(
    async () => {
      for await (const _ of stream);
    },
    (error: unknown) => isMureError(error, 'forbidden') && error.message === 'not you',
  )
})

test('the end of a connection ends the iteration and aborts the signal, at both ends', async () => {
  const { connected, stream } = await open('/listen')
  const there = heard.stream
  const iterating = (async () => {
    for await (const _ of stream);
    return 'ended'
  })()
  await connected[Symbol.asyncDispose]()
  assert.equal(await iterating, 'ended')
  await until(() => stream.signal.aborted && there?.signal.aborted === true)
  assert.equal(heard.error, undefined)
  stream.send('into the void')
})

test('what is no message ends the stream, and both ends know', async () => {
  const bad = [
    Buffer.from([0, 0, 0, 2, 0x7b, 0x7b]),
    Buffer.from([0x7f, 0, 0, 0]),
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  ]
  for (const bytes of bad) {
    await using connected = await connect(listening.address)
    // The raw stream to a path of messages: what a broken or hostile node might send.
    const raw = await connected.client.openRaw('/listen', connected.wait)
    raw.write(bytes)
    await until(() => heard.error !== undefined)
    assert.ok(isMureError(heard.error, 'invalid'))
    let answer = ''
    for await (const chunk of raw as AsyncIterable<Buffer>) answer += chunk.toString()
    assert.match(answer, /"code":"invalid"/)
    assert.ok(connected.client.signal.aborted === false, 'the connection goes on')
    delete heard.error
  }
})

test('a message of 60 MiB arrives; one larger than a frame is not sent', async () => {
  const { connected, stream } = await open<string, string>('/listen')
  await using _ = connected
  const text = 'x'.repeat(60 * 1024 * 1024)
  heard.stream?.send(text)
  for await (const message of stream) {
    assert.equal(message.length, text.length)
    break
  }
  assert.throws(
    () => {
      stream.send('x'.repeat(64 * 1024 * 1024))
    },
    (error: unknown) => isMureError(error, 'invalid'),
  )
})

test('a slow reader is seen by pendingBytes, and holds no more than the windows', async () => {
  const { connected, stream } = await open<never, string>('/idle')
  await using _ = connected
  const message = 'x'.repeat(64 * 1024)
  const before = process.memoryUsage().rss
  let sent = 0
  while (stream.pendingBytes < 1024 * 1024 && sent < 1e9) {
    stream.send(message)
    sent += message.length
    if (stream.pendingBytes > 0) await sleep(1)
  }
  assert.ok(sent < 16 * 1024 * 1024, `${String(sent)} bytes were taken though nobody reads`)
  assert.ok(process.memoryUsage().rss - before < 100 * 1024 * 1024)
  // Another stream of the connection is not held up.
  await using other = await connected.client.open<number, number>('/double', connected.wait)
  other.send(21)
  for await (const n of other) {
    assert.equal(n, 42)
    break
  }
})

test('a close to a peer that reads nothing is over in seconds', async () => {
  const { connected, stream } = await open<never, string>('/idle')
  await using _ = connected
  while (stream.pendingBytes < 1024 * 1024) {
    stream.send('x'.repeat(64 * 1024))
    if (stream.pendingBytes > 0) await sleep(1)
  }
  stream.close('no more')
  await until(() => stream.signal.aborted && heard.stream?.signal.aborted === true)
})

test('raw bytes flow both ways, each with its own end', async () => {
  await using connected = await connect(listening.address)
  const bytes = await connected.client.openRaw('/echo/a/b', connected.wait)
  bytes.end('ping')
  let answer = ''
  for await (const chunk of bytes as AsyncIterable<Buffer>) answer += chunk.toString()
  assert.equal(answer, 'ping')
  await until(() => bytes.closed)
})

test('a raw stream that is refused says why', async () => {
  await using connected = await connect(listening.address)
  await assert.rejects(
    connected.client.openRaw('/refuse/n1', connected.wait),
    (error: unknown) => isMureError(error, 'unavailable') && error.message === 'node n1 is not connected',
  )
})

/** Passes bytes on, and can be cut off: then both ends see their connection closed or reset. */
async function wire(target: string): Promise<AsyncDisposable & { address: string; cut: () => void }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connectTcp(Number(target.split(':')[1]), '127.0.0.1')
    for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
    near.pipe(far).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    address: `127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    cut,
    async [Symbol.asyncDispose]() {
      cut()
      server.close()
    },
  }
}

/** How a stream ended for its reader: after so many bytes, properly or not. */
async function outcome(bytes: Duplex, pauseMs: number): Promise<string> {
  let count = 0
  try {
    for await (const chunk of bytes.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      count += chunk.length
      await sleep(pauseMs)
    }
    return `end after ${String(count)}`
  } catch (error) {
    assert.ok(isMureError(error, 'unavailable'), String(error))
    return 'error'
  }
}

const breaks: Record<string, (parts: { cut: () => void }) => void> = {
  'the connection is cut': ({ cut }) => {
    cut()
  },
  'the other side breaks it off': () => heard.bytes?.destroy(),
  'the other side breaks it off with an error': () => heard.bytes?.destroy(new Error('x')),
}

for (const [name, breakOff] of Object.entries(breaks))
  for (const halfClosed of [false, true])
    for (const pauseMs of [0, 20])
      test(`no end is made up: ${name}${halfClosed ? ', after we have ended our side' : ''}${pauseMs > 0 ? ', reading slowly' : ''}`, async () => {
        await using line = await wire(listening.address)
        await using connected = await connect(line.address)
        const bytes = await connected.client.openRaw('/give/', connected.wait)
        if (halfClosed) bytes.end()
        const ended = outcome(bytes, pauseMs)
        await sleep(30)
        breakOff(line)
        assert.equal(await ended, 'error')
        await until(() => bytes.closed && heard.bytes?.closed === true)
      })

for (const pauseMs of [0, 20])
  test(`a proper end is one${pauseMs > 0 ? ', also for a slow reader' : ''}`, async () => {
    await using connected = await connect(listening.address)
    const bytes = await connected.client.openRaw('/give/', connected.wait)
    const ended = outcome(bytes, pauseMs)
    await sleep(10)
    heard.bytes?.end(Buffer.alloc(500_000))
    assert.equal(await ended, 'end after 501000')
    bytes.end()
    await until(() => bytes.closed && heard.bytes?.closed === true)
  })

test('a reader that gives up breaks the stream off for the writer', async () => {
  await using connected = await connect(listening.address)
  const bytes = await connected.client.openRaw('/give/', connected.wait)
  const there = heard.bytes
  bytes.destroy()
  await until(() => there?.closed === true)
  assert.ok(isMureError(there?.errored, 'unavailable'))
})
