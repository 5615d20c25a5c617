import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMureError } from './errors.ts'
import { abortable, sleep, startWait } from './wait.ts'

test('a timeout says what was waited for', async () => {
  using wait = startWait({ timeoutMs: 5, what: 'a miracle' })
  wait.note('etcd member m2 to catch up')
  await assert.rejects(sleep(10_000, wait.signal), (error: unknown) => {
    assert.ok(isMureError(error, 'timeout'))
    assert.match(error.message, /^waited 0\.\d s for etcd member m2 to catch up$/)
    return true
  })
  assert.throws(() => {
    wait.check()
  }, /etcd member m2/)
})

test('the caller can cancel', async () => {
  const caller = new AbortController()
  using wait = startWait({ signal: caller.signal, what: 'an answer' })
  caller.abort()
  await assert.rejects(abortable(new Promise(() => undefined), wait.signal), (error: unknown) =>
    isMureError(error, 'cancelled'),
  )
})

test('notes are heard as they come', () => {
  const heard: string[] = []
  using wait = startWait({ onNote: (text) => heard.push(text) })
  wait.note('one')
  wait.note('two')
  assert.deepEqual(heard, ['one', 'two'])
})
