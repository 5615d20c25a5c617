import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import { UsageHistory } from './usage-history.ts'

const node = 'n1' as NodeId
const task = 't1' as TaskId
const mib = 1024 * 1024

function history(): { usage: UsageHistory; at: (second: number, cpu: number) => void } {
  let now = 0
  const usage = new UsageHistory(() => instant(now))
  return {
    usage,
    at: (second, cpu) => {
      now = second * 1_000
      usage.add(node, {
        at: instant(0),
        cpu,
        memoryBytes: 2 * mib,
        tasks: [{ taskId: task, cpu: cpu / 2, memoryBytes: mib }],
      })
    },
  }
}

test('samples of a node and of its tasks are kept in order', () => {
  const { usage, at } = history()
  for (let i = 1; i <= 40; i++) at(i * 10, i)
  const points = usage.points(node)
  assert.equal(points.length, 40)
  assert.deepEqual(points[0], { at: 10_000, cpu: 1, memoryBytes: 2 * mib })
  assert.deepEqual(usage.points(task).at(-1), { at: 400_000, cpu: 20, memoryBytes: mib })
  assert.deepEqual(usage.points('other'), [])
})

test('an hour is kept and no more', () => {
  const { usage, at } = history()
  for (let i = 1; i <= 1_000; i++) at(i * 10, i)
  const points = usage.points(node)
  assert.equal(points.length, 360)
  assert.equal(points[0]?.cpu, 641)
  assert.equal(points.at(-1)?.cpu, 1_000)
})

test('the newest of each node, until it is old; then it is forgotten', () => {
  let now = 1_000_000
  const usage = new UsageHistory(() => instant(now))
  usage.add(node, { at: instant(0), cpu: 1, memoryBytes: 0, tasks: [] })
  assert.equal(usage.latest()[0]?.nodeId, node)
  now += 60_000
  assert.deepEqual(usage.latest(), [])
  now += 3_600_000
  usage.forgetOld()
  assert.deepEqual(usage.points(node), [])
})
