import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Guesses } from './guesses.ts'

function clocked(): { guesses: Guesses; pass: (ms: number) => void } {
  let now = 0
  return {
    guesses: new Guesses(() => now),
    pass: (ms) => {
      now += ms
    },
  }
}

test('a few wrong tokens are let pass, then each costs twice the time of the one before', () => {
  const { guesses, pass } = clocked()
  const waits: number[] = []
  for (let i = 0; i < 8; i++) {
    guesses.wrong('a')
    waits.push(guesses.waitMs('a'))
    pass(guesses.waitMs('a'))
  }
  assert.deepEqual(waits, [0, 0, 0, 0, 2_000, 4_000, 8_000, 16_000])
  assert.equal(guesses.waitMs('b'), 0)
})

test('the right one, or a long silence, makes all good again', () => {
  const { guesses, pass } = clocked()
  for (let i = 0; i < 6; i++) guesses.wrong('a')
  assert.ok(guesses.waitMs('a') > 0)
  guesses.right('a')
  assert.equal(guesses.waitMs('a'), 0)
  for (let i = 0; i < 6; i++) guesses.wrong('a')
  pass(31 * 60_000)
  guesses.wrong('a')
  assert.equal(guesses.waitMs('a'), 0)
})

test('the pause does not grow without end', () => {
  const { guesses } = clocked()
  for (let i = 0; i < 500; i++) guesses.wrong('a')
  assert.equal(guesses.waitMs('a'), 15 * 60_000)
})
