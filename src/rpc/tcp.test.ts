import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { anotherAfterMs, connectTcp } from './tcp.ts'

const target = { host: '192.0.2.1', port: 2377 }

class FakeSocket extends EventEmitter {
  isDestroyed = false
  destroy(): void {
    this.isDestroyed = true
  }
}

function attempts() {
  const made: FakeSocket[] = []
  const open = () => {
    const socket = new FakeSocket()
    made.push(socket)
    return socket as unknown as Socket
  }
  return { made, open }
}

test('where nothing answers another attempt is begun beside the first, and one alone is left', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { made, open } = attempts()
  const connected = connectTcp(target, new AbortController().signal, open)
  assert.equal(made.length, 1)
  context.mock.timers.tick(anotherAfterMs)
  context.mock.timers.tick(anotherAfterMs)
  assert.equal(made.length, 3)
  made[1]?.emit('connect')
  assert.equal(await connected, made[1])
  assert.deepEqual(
    made.map((socket) => socket.isDestroyed),
    [true, false, true],
  )
  context.mock.timers.tick(anotherAfterMs)
  assert.equal(made.length, 3)
})

test('a refusal, or the end of the wait, ends all attempts', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const refused = attempts()
  const first = connectTcp(target, new AbortController().signal, refused.open)
  refused.made[0]?.emit('error', new Error('refused'))
  await assert.rejects(first, /refused/)
  const ended = attempts()
  const abort = new AbortController()
  const second = connectTcp(target, abort.signal, ended.open)
  abort.abort(new Error('over'))
  await assert.rejects(second, /over/)
  assert.ok([...refused.made, ...ended.made].every((socket) => socket.isDestroyed))
})
