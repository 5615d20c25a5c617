import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plotOf } from './plot.ts'

const frame = { from: 0, to: 100_000, width: 100, height: 10 }

test('a line from left to right, and the area below it', () => {
  const points = [
    { at: 0, value: 0 },
    { at: 20_000, value: 1.5 },
    { at: 40_000, value: 1 },
  ]
  const { line, area, top } = plotOf(points, frame)
  assert.equal(top, 2)
  assert.equal(line, 'M0 10L20 2.5L40 5')
  assert.equal(area, 'M0 10L0 10L20 2.5L40 5L40 10Z')
})

test('where samples are missing the line is broken', () => {
  const points = [
    { at: 0, value: 1 },
    { at: 90_000, value: 1 },
  ]
  assert.equal(plotOf(points, frame).line, 'M0 0M90 0')
  assert.deepEqual(plotOf([], frame), { line: '', area: '', top: 1 })
})
