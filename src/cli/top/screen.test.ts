import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderTop } from './screen.ts'
import type { TopAnswer } from './screen.ts'

const gib = 1024 ** 3
const answer: TopAnswer = {
  nodes: [
    { name: 'worker10', state: 'down', availability: 'active', role: 'worker', cpus: 2, memoryBytes: gib },
    {
      name: 'worker2',
      state: 'ready',
      availability: 'drain',
      role: 'worker',
      cpus: 2,
      memoryBytes: 4 * gib,
      cpu: 1,
      memory: gib,
    },
  ],
  tasks: [
    { id: 'a'.repeat(25), name: 'web.1', node: 'worker2', since: 0, cpu: 0.1, memory: 1024 ** 2 },
    { id: 'b'.repeat(25), name: 'web.2', node: 'worker2', since: 0, cpu: 0.5, memory: 512 },
  ],
}
const screen = { columns: 200, rows: 40, order: 'cpu', now: 120_000 } as const
const plain = (lines: readonly string[]) => lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ''))

test('nodes in the order people count, tasks by what they use', () => {
  const lines = plain(renderTop(answer, screen))
  assert.match(lines[0] ?? '', /1\/2 nodes ready, 2 tasks running/)
  assert.match(lines[3] ?? '', /^worker2 +ready, drain +worker +1\.00\/2 +█████░░░░░ +50% +1\.0G\/4\.0G/)
  assert.match(lines[4] ?? '', /^worker10 +down +worker +- /)
  assert.match(lines[7] ?? '', /^web\.2 +b{12} +worker2 +50\.0 +0\.0M +2m$/)
  assert.match(plain(renderTop(answer, { ...screen, order: 'memory' }))[7] ?? '', /^web\.1/)
})

test('bars grow as far as the screen has room for them', () => {
  const line = (columns: number) => plain(renderTop(answer, { ...screen, columns }))[3] ?? ''
  assert.match(line(85), /1\.00\/2 +███░░░ +50% .* 25%$/)
  assert.match(line(70), /1\.00\/2 + 50% .* 25%$/)
})

test('a small screen gets what has room on it', () => {
  const lines = plain(renderTop(answer, { ...screen, columns: 20, rows: 6 }))
  assert.equal(lines.length, 5)
  assert.ok(lines.every((line) => line.length <= 20))
})
