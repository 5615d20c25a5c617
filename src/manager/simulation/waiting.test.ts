import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { create, remove, update } from '#model/change.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aCluster, aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

const port = { protocol: 'tcp', targetPort: 80, publishedPort: 80, publishMode: 'host' } as const
const container = (image: string) => [{ name: '', image }]

async function clusterWith(...services: Service[]): Promise<SimulatedCluster> {
  const cluster = await SimulatedCluster.of({
    objects: [aCluster(), aNode({ cpus: 4 }), ...services],
    now: testEpoch,
    random: seededRandom(1),
  })
  await cluster.settle()
  return cluster
}

const tasksOf = ({ mirror }: SimulatedCluster, name: string): Task[] =>
  [...mirror.list('task')].filter(({ serviceName }) => serviceName === name)

const runs = ({ status, desiredState }: Task): boolean =>
  status.state === 'running' && desiredState === 'running'

async function deploy(cluster: SimulatedCluster, { meta }: Service, image: string): Promise<void> {
  const service = cluster.mirror.get('service', meta.id)
  assert.ok(service)
  const template = { ...service.spec.template, containers: container(image) }
  await cluster.write([
    update({
      ...service,
      meta: { ...service.meta, generation: service.meta.generation + 1 },
      spec: { ...service.spec, template },
    }),
  ])
}

test('a task whose node is chosen but that waits there is not in its own way once there is room', async () => {
  for (const isUnderNewLeader of [false, true]) {
    const first = aService({
      name: 'first',
      mode: { type: 'replicated', replicas: 1 },
      endpoint: { ports: [port] },
    })
    const cluster = await clusterWith(first)
    await cluster.write([
      create(aService({ name: 'all', mode: { type: 'global' }, endpoint: { ports: [port] } })),
    ])
    await cluster.settle()
    assert.deepEqual(tasksOf(cluster, 'all').filter(runs), [])
    const stored = cluster.mirror.get('service', first.meta.id)
    assert.ok(stored)
    await cluster.write([remove(stored)])
    if (isUnderNewLeader) cluster.changeLeader()
    await cluster.settle()
    assert.equal(tasksOf(cluster, 'all').filter(runs).length, 1)
  }
})

test('a global service is updated start-first where there is room for one of the two', async () => {
  const service = aService({
    name: 'all',
    mode: { type: 'global' },
    template: { containers: container('old'), resources: { reservations: { cpuNano: 3e9 } } },
    update: { order: 'start-first' },
  })
  const cluster = await clusterWith(service)
  await deploy(cluster, service, 'new')
  await cluster.settle()
  assert.deepEqual(
    tasksOf(cluster, 'all')
      .filter(runs)
      .map(({ spec }) => spec.containers[0]?.image),
    ['new'],
  )
})

test('start-first without room for both never stops more than makes room for one', async () => {
  for (const parallelism of [0, 1, 4]) {
    const service = aService({
      name: 'web',
      mode: { type: 'replicated', replicas: 4 },
      template: { containers: container('old'), resources: { reservations: { cpuNano: 1e9 } } },
      update: { order: 'start-first', parallelism },
    })
    const cluster = await clusterWith(service)
    let least = 4
    using _watch = cluster.mirror.subscribe(() => {
      least = Math.min(least, tasksOf(cluster, 'web').filter(runs).length)
    })
    await deploy(cluster, service, 'new')
    await cluster.settle()
    assert.equal(tasksOf(cluster, 'web').filter(runs).length, 4)
    assert.ok(least >= 2, `with parallelism ${String(parallelism)} only ${String(least)} ran`)
  }
})
