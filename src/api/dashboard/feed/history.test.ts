import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Changes } from '../wire.ts'
import { History } from './history.ts'

const changes = (revision: number): Changes => ({
  type: 'changes',
  revision,
  put: [],
  remove: [],
  events: [],
})
const revisionsOf = (texts: readonly string[] | undefined): number[] | undefined =>
  texts?.map((text) => (JSON.parse(text) as Changes).revision)

test('a viewer gets what it has missed and nothing else', () => {
  const history = new History(10)
  for (const revision of [12, 15, 16]) history.add(changes(revision))
  assert.deepEqual(revisionsOf(history.since(10, 16)), [12, 15, 16])
  assert.deepEqual(revisionsOf(history.since(13, 16)), [15, 16])
  assert.deepEqual(revisionsOf(history.since(16, 16)), [])
})

test('from before what is kept, or from a future, it gets everything anew', () => {
  const history = new History(10)
  history.add(changes(12))
  assert.equal(history.since(9, 12), undefined)
  assert.equal(history.since(13, 12), undefined)
  for (let revision = 13; revision < 3_000; revision++) history.add(changes(revision))
  assert.equal(history.since(12, 2_999), undefined)
  assert.equal(history.since(2_990, 2_999)?.length, 9)
})
