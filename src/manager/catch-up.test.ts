import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MureError } from '#lib/errors.ts'
import { CatchUp } from './catch-up.ts'

function fixture(current = true) {
  const questions: PromiseWithResolvers<number>[] = []
  const awaited: number[] = []
  const store = {
    currentRevision() {
      const question = Promise.withResolvers<number>()
      questions.push(question)
      return question.promise
    },
  }
  const mirror = {
    current,
    reached(revision: number) {
      awaited.push(revision)
      return Promise.resolve()
    },
  }
  return { questions, awaited, catchUp: new CatchUp(store, mirror) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('waits for the mirror to be where the store was', async () => {
  const { questions, awaited, catchUp } = fixture()
  const caughtUp = catchUp.now()
  await turn()
  questions[0]?.resolve(7)
  await caughtUp
  assert.deepEqual(awaited, [7])
})

test('who comes while a question is under way shares the next one', async () => {
  const { questions, awaited, catchUp } = fixture()
  const first = catchUp.now()
  await turn()
  const later = [catchUp.now(), catchUp.now(), catchUp.now()]
  questions[0]?.resolve(1)
  await first
  await turn()
  // What was asked before they came may not know what they have seen.
  assert.equal(questions.length, 2)
  questions[1]?.resolve(2)
  await Promise.all(later)
  assert.deepEqual(awaited, [1, 2])
})

test('without a quorum nobody waits, and no failure is passed on', async () => {
  const stale = fixture(false)
  await stale.catchUp.now()
  assert.equal(stale.questions.length, 0)
  const lost = fixture()
  const caughtUp = lost.catchUp.now()
  await turn()
  lost.questions[0]?.reject(new MureError('unavailable', 'no quorum'))
  await caughtUp
})
