import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aTask } from '#model/testing/builders.ts'
import type { LogLine } from './log-line.ts'
import { ResumePoint } from './resume.ts'

const line = (decimals: string): LogLine => ({
  stream: 'stdout',
  time: `2026-01-02T03:04:05.${decimals}Z`,
  attributes: '',
  text: Buffer.from('x\n'),
  task: aTask(),
})
const first = { follow: true, since: '', until: '', tail: '5' }

test('a log that broke off goes on behind the last line, parts of one moment counted', () => {
  const point = new ResumePoint()
  assert.deepEqual(point.wish(first), first)
  for (const decimals of ['000000001', '000000002', '000000002'])
    assert.equal(point.isNew(line(decimals)), true)
  assert.deepEqual(point.wish(first), { ...first, tail: 'all', since: '1767323045.000000002' })
  const again = ['000000002', '000000002', '000000002', '000000003'].map((decimals) =>
    point.isNew(line(decimals)),
  )
  assert.deepEqual(again, [false, false, true, true])
})
