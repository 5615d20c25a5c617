import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { update } from '#model/change.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aCluster, aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { SimulatedCluster } from './simulation/simulated-cluster.ts'
import { keepsItsPlaces, settleMs } from './rebalance.ts'

const names = ['a', 'b', 'c']

/** Services that run on the other nodes while c is down; c has come back. */
async function afterReturn(services: readonly Service[], rebalance: boolean): Promise<SimulatedCluster> {
  const nodes = names.map((hostname) =>
    aNode({ hostname, status: hostname === 'c' ? { state: 'down' } : {} }),
  )
  const cluster = await SimulatedCluster.of({
    objects: [aCluster({ scheduling: { rebalance } }), ...nodes, ...services],
    now: testEpoch,
    random: seededRandom(1),
  })
  await cluster.settle()
  const c = cluster.mirror.get('node', nodes[2]?.meta.id ?? '') as Node
  await cluster.write([
    update({
      ...c,
      status: { ...c.status, state: 'ready', session: { managerId: c.meta.id, startedAt: cluster.now } },
    }),
  ])
  return cluster
}

const ask = (cluster: SimulatedCluster) =>
  cluster.write(
    [...cluster.mirror.list('service')].map((service) =>
      update({ ...service, status: { ...service.status, rebalance: { startedAt: cluster.now } } }),
    ),
  )

const running = (cluster: SimulatedCluster): Task[] =>
  [...cluster.mirror.list('task')].filter((task) => task.status.state === 'running')

/** How many run on a, b and c. */
const counts = (cluster: SimulatedCluster): number[] =>
  [...cluster.mirror.list('node')]
    .sort((a, b) => (a.meta.name < b.meta.name ? -1 : 1))
    .map((node) => running(cluster).filter((task) => task.nodeId === node.meta.id).length)

test('on request tasks move to a node that came back, one at a time, each old one until the new one runs', async () => {
  await using cluster = await afterReturn([aService({ replicas: 6 })], false)
  await cluster.settle()
  assert.deepEqual(counts(cluster), [3, 3, 0])
  const slots = new Set<number>()
  using _watch = cluster.mirror.subscribe(() => {
    const up = running(cluster)
    slots.add(new Set(up.map((task) => task.slot)).size)
    assert.ok(up.length <= 7, 'more than one moves at a time')
  })
  await ask(cluster)
  await cluster.settle()
  assert.deepEqual(counts(cluster), [2, 2, 2])
  assert.deepEqual([...slots], [6], 'a slot was without a running task')
  const before = running(cluster)
  await ask(cluster)
  await cluster.settle()
  assert.deepEqual(running(cluster), before)
})

test('the setting does it by itself, once the node has stayed for a while', async () => {
  await using cluster = await afterReturn([aService({ replicas: 6 })], true)
  const backAt = cluster.now
  await cluster.settle()
  assert.deepEqual(counts(cluster), [2, 2, 2])
  assert.ok(cluster.now >= instant(backAt + settleMs))
})

test('of many small services some move, so that all tasks are spread', async () => {
  const services = Array.from({ length: 9 }, (_, i) => aService({ name: `s${String(i)}`, replicas: 1 }))
  await using cluster = await afterReturn(services, true)
  await cluster.settle()
  assert.deepEqual(
    counts(cluster).sort((a, b) => a - b),
    [3, 3, 3],
  )
})

test('what keeps data on its host, or is packed on purpose, stays', () => {
  const settings = { strategy: 'spread', drainOrder: 'start-first', rebalance: true } as const
  const containers = [
    { name: '', image: 'x', mounts: [{ type: 'volume' as const, source: 'data', target: '/data' }] },
  ]
  assert.match(keepsItsPlaces(aService({ template: { containers } }), settings) ?? '', /volumes/)
  assert.match(
    keepsItsPlaces(aService({ labels: { 'mure.strategy': 'binpack' } }), settings) ?? '',
    /binpack/,
  )
  assert.match(keepsItsPlaces(aService({ mode: { type: 'global' } }), settings) ?? '', /replicated/)
  assert.equal(keepsItsPlaces(aService(), settings), undefined)
})
