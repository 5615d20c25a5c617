import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyedQueue } from './keyed-queue.ts'

test('a key marked twice is taken once', () => {
  const queue = new KeyedQueue<string>()
  queue.mark('a')
  queue.mark('a')
  assert.deepEqual(queue.takeAll(), ['a'])
  assert.deepEqual(queue.takeAll(), [])
})

test('a key marked while it is worked on is taken again only after done', () => {
  const queue = new KeyedQueue<string>()
  queue.mark('a')
  queue.takeAll()
  queue.mark('a')
  assert.deepEqual(queue.takeAll(), [])
  queue.done('a')
  assert.deepEqual(queue.takeAll(), ['a'])
})

test('ready waits for a key that may be taken', async () => {
  const queue = new KeyedQueue<string>()
  const stop = new AbortController()
  queue.mark('a')
  queue.takeAll()
  queue.mark('a')
  let ready = false
  const waiting = queue.ready(stop.signal).then(() => (ready = true))
  await Promise.resolve()
  assert.equal(ready, false)
  queue.done('a')
  await waiting
  assert.equal(ready, true)
})

test('ready ends when the signal aborts', async () => {
  const stop = new AbortController()
  const waiting = new KeyedQueue<string>().ready(stop.signal)
  stop.abort()
  await waiting
})
