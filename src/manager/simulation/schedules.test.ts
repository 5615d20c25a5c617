import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { aCluster, aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

const nightly = aService({
  name: 'nightly',
  labels: { 'mure.schedule': '0 3 * * *' },
  mode: { type: 'replicated-job' },
})

test('where schedules rest nothing runs by the clock, however far that goes', async () => {
  for (const schedulesRest of [false, true]) {
    await using cluster = await SimulatedCluster.of({
      objects: [aCluster(), aNode({ cpus: 4 }), nightly],
      now: testEpoch,
      random: seededRandom(1),
      schedulesRest,
    })
    await cluster.settle()
    assert.equal([...cluster.mirror.list('task')].length > 0, !schedulesRest)
  }
})
