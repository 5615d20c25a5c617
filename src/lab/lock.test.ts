import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWait } from '#lib/wait.ts'
import { holdLock } from './lock.ts'

const name = `test-${String(process.pid)}`

test('a lock has one holder; the next one is told that it waits, and has it afterwards', async () => {
  using wait = startWait({ timeoutMs: 5_000 })
  const order: string[] = []
  const first = await holdLock(name, wait, () => order.push('never'))
  const told = Promise.withResolvers<undefined>()
  const second = holdLock(name, wait, () => {
    order.push('waits')
    told.resolve(undefined)
  })
  await told.promise
  order.push('freed')
  await first[Symbol.asyncDispose]()
  await using _held = await second
  assert.deepEqual(order, ['waits', 'freed'])
})

test('a wait for a lock ends with its signal', async () => {
  using wait = startWait({ timeoutMs: 5_000 })
  await using _held = await holdLock(name, wait, () => undefined)
  using impatient = startWait({ timeoutMs: 20 })
  await assert.rejects(
    holdLock(name, impatient, () => undefined),
    /another command that holds the lock/,
  )
})
