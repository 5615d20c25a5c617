import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import type { SchedulingStrategy } from '#model/cluster.ts'
import type { ServiceId } from '#model/id.ts'
import { aNode, aTask } from '#model/testing/builders.ts'
import { nodeInfos } from '../cluster-nodes.ts'
import { schedule } from '../pipeline.ts'

const reserving = { containers: [{ name: '', image: 'x' }], resources: { reservations: { cpuNano: 1e9 } } }

function placed(strategy: SchedulingStrategy, count: number, labels: Record<string, string> = {}, nodes = 3) {
  const machines = Array.from({ length: nodes }, () => aNode({ cpus: 4_000 }))
  const tasks = Array.from({ length: count }, (_, i) =>
    aTask({ serviceId: 's' as ServiceId, serviceLabels: labels, slot: i + 1, spec: reserving }),
  )
  const result = schedule(tasks, nodeInfos(machines, []), { strategy, random: seededRandom(7) })
  return machines
    .map(({ meta }) => result.placed.filter(({ nodeId }) => nodeId === meta.id).length)
    .sort((a, b) => a - b)
}

test('binpack fills one node before the next', () => {
  assert.deepEqual(placed('binpack', 5), [0, 0, 5])
})

test("a service's label goes before the cluster's setting", () => {
  assert.deepEqual(placed('binpack', 6, { 'mure.strategy': 'spread' }), [2, 2, 2])
  assert.deepEqual(placed('spread', 6, { 'mure.strategy': 'binpack' }), [0, 0, 6])
})

test('random gives each node its chance, also within one batch', () => {
  const counts = placed('random', 3_000)
  for (const count of counts) assert.ok(count > 900 && count < 1_100, counts.join(' '))
  // And it is chance: a spread would be exact.
  assert.notDeepEqual(placed('random', 30), [10, 10, 10])
})
