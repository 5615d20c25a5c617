import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { ReadyAnswers } from './ready-answers.ts'

const question = (id: number, text: string) => Buffer.concat([Buffer.from([0, id]), Buffer.from(text)])
const places = { at: 4, count: 3, bytes: 2 }
const reply = Buffer.from('__ab112233zz')

test('an answer is given again with the number of each question, its records in changing order', () => {
  const ready = new ReadyAnswers(seededRandom(1))
  ready.keep(0, 'a', question(1, 'web'), reply, places)
  const seen = new Set<string>()
  for (let id = 2; id < 60; id++) {
    const found = ready.find(0, 'a', question(id, 'web'))
    assert.equal(found?.readUInt16BE(0), id)
    assert.equal(found.toString('latin1', 2, 4), 'ab')
    assert.equal(found.toString('latin1', 10), 'zz')
    seen.add(found.toString('latin1', 4, 10))
  }
  assert.deepEqual([...seen].sort(), ['112233', '113322', '221133', '223311', '331122', '332211'])
})

test('nothing is given to another asker, to another question, or once names have changed', () => {
  const ready = new ReadyAnswers(seededRandom(1))
  ready.keep(0, 'a', question(1, 'web'), reply, places)
  assert.equal(ready.find(0, 'b', question(1, 'web')), undefined)
  assert.equal(ready.find(0, 'a', question(1, 'wed')), undefined)
  assert.equal(ready.find(1, 'a', question(1, 'web')), undefined)
  // What was made from the names of before comes late.
  ready.keep(0, 'a', question(1, 'web'), reply, places)
  assert.equal(ready.find(1, 'a', question(1, 'web')), undefined)
})

test('who asks for many things pushes out what was kept for itself alone', () => {
  const ready = new ReadyAnswers(seededRandom(1))
  ready.keep(0, 'other', question(1, 'web'), reply, places)
  for (let i = 0; i < 10_000; i++) ready.keep(0, 'a', question(1, `w${String(i)}`), reply, places)
  assert.notEqual(ready.find(0, 'other', question(1, 'web')), undefined)
  assert.equal(ready.find(0, 'a', question(1, 'w0')), undefined)
  assert.notEqual(ready.find(0, 'a', question(1, 'w9999')), undefined)
})
