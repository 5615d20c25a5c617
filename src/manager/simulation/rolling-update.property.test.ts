import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { update } from '#model/change.ts'
import type { Service, UpdatePolicy } from '#model/service.ts'
import { isRunnable, isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aCluster, aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

const image = (name: string) => [{ name: '', image: name }]
const imageOf = (task: Task) => task.spec.containers[0]?.image

async function withService(
  options: { cpus: number; seed?: number; generic?: number } & Parameters<typeof aService>[0],
): Promise<SimulatedCluster> {
  const { cpus, seed = 1, ...spec } = options
  const nodes = ['n1', 'n2'].map((hostname) => aNode({ hostname, cpus }))
  const cluster = await SimulatedCluster.of({
    objects: [aCluster(), ...nodes, aService({ name: 'web', ...spec })],
    now: testEpoch,
    random: seededRandom(seed),
  })
  await cluster.settle()
  return cluster
}

const serviceIn = ({ mirror }: SimulatedCluster): Service => {
  const service = mirror.byName('service', 'web')
  assert.ok(service)
  return service
}

async function deploy(cluster: SimulatedCluster, template: Service['spec']['template']): Promise<void> {
  const service = serviceIn(cluster)
  const { update: _, ...status } = service.status
  await cluster.write([
    update({
      ...service,
      meta: { ...service.meta, generation: service.meta.generation + 1 },
      spec: { ...service.spec, template },
      status: { ...status, previousSpec: service.spec },
    }),
  ])
}

const anUpdate = fc.record({
  seed: fc.nat(),
  replicas: fc.integer({ min: 1, max: 6 }),
  order: fc.constantFrom('start-first' as const, 'stop-first' as const),
  parallelism: fc.integer({ min: 1, max: 3 }),
  delayMs: fc.constantFrom(0, 5_000),
  /** After how many steps leaders die, one after the other. */
  deaths: fc.array(fc.nat(6), { maxLength: 12 }),
})

test('an update goes on under any number of new leaders, within its policy, and makes no task twice', async () => {
  await fc.assert(
    fc.asyncProperty(anUpdate, async ({ seed, replicas, order, parallelism, delayMs, deaths }) => {
      const policy: UpdatePolicy = { order, parallelism, delayMs, monitorMs: 1_000 }
      await using cluster = await withService({
        cpus: 100,
        seed,
        replicas,
        update: policy,
        template: { containers: image('one') },
      })
      await deploy(cluster, { containers: image('two') })
      using _watch = cluster.mirror.subscribe(() => {
        checkPolicy(cluster, replicas, policy)
      })
      for (const steps of deaths) {
        for (let step = 0; step < steps; step++)
          if (!(await cluster.turn()) && !(await cluster.agents()))
            cluster.advance(instant(cluster.now + 60_000))
        cluster.changeLeader()
      }
      assert.ok((await cluster.settle()).atRest)
      assert.equal(serviceIn(cluster).status.update?.state, 'completed')
      const tasks = [...cluster.mirror.tasksOfService(serviceIn(cluster).meta.id)]
      // One of the old and one of the new for each slot: nothing was made twice.
      assert.equal(tasks.filter((task) => imageOf(task) === 'two').length, replicas)
      assert.equal(tasks.length, 2 * replicas)
    }),
    { numRuns: 60 },
  )
})

function checkPolicy(cluster: SimulatedCluster, replicas: number, policy: UpdatePolicy): void {
  const tasks = [...cluster.mirror.tasksOfService(serviceIn(cluster).meta.id)]
  const { order = 'stop-first', parallelism = 1 } = policy
  const coming = tasks.filter((task) => imageOf(task) === 'two' && task.status.state !== 'running')
  assert.ok(coming.length <= parallelism, `${String(coming.length)} are replaced at a time`)
  for (const ofSlot of Map.groupBy(tasks, (task) => task.slot).values()) {
    const live = ofSlot.filter((task) => !isTerminal(task.status.state))
    assert.ok(live.length <= 2, 'a slot has the old and the new, and no more')
    const up = live.filter((task) => task.status.state === 'running')
    if (order === 'stop-first') assert.ok(up.length <= 1, 'stop-first: never two of a slot at a time')
    else assert.ok(up.length >= 1, 'start-first: never none of a slot')
  }
  const up = tasks.filter((task) => task.status.state === 'running' && isRunnable(task.desiredState))
  assert.ok(up.length >= replicas - parallelism)
}

const startFirst: UpdatePolicy = { order: 'start-first', parallelism: 1, monitorMs: 1_000 }
const reserving = (name: string, cpus: number) => ({
  containers: image(name),
  resources: { reservations: { cpuNano: cpus * 1e9 } },
})

test('start-first where no node has room for both: the old one stops first, and the new one says why', async () => {
  await using cluster = await withService({
    cpus: 2,
    replicas: 2,
    update: startFirst,
    template: reserving('one', 1.5),
  })
  const reasons = new Set<string>()
  using _watch = cluster.mirror.subscribe((events) => {
    for (const { kind, after } of events)
      if (kind === 'task' && after?.kind === 'task') reasons.add(after.status.error)
  })
  const { now } = cluster
  await deploy(cluster, reserving('two', 1.5))
  assert.ok((await cluster.settle()).atRest)
  assert.equal(serviceIn(cluster).status.update?.state, 'completed')
  const wanted = [...cluster.mirror.list('task')].filter((task) => isRunnable(task.desiredState))
  assert.deepEqual(
    wanted.map((task) => [imageOf(task), task.status.state]),
    [
      ['two', 'running'],
      ['two', 'running'],
    ],
  )
  assert.ok(
    [...reasons].some((reason) =>
      /^no suitable node \(insufficient resources on 2 nodes\); it fits only once/.test(reason),
    ),
  )
  assert.ok(cluster.now - now < 60_000, 'long before the deadline of an update')
})

test('start-first: what would not fit in the place of the old one stops nothing', async () => {
  await using cluster = await withService({
    cpus: 2,
    replicas: 2,
    update: startFirst,
    template: reserving('one', 1.5),
  })
  await deploy(cluster, reserving('two', 3))
  await cluster.settle()
  assert.equal(serviceIn(cluster).status.update?.state, 'paused')
  const up = [...cluster.mirror.list('task')].filter((task) => task.status.state === 'running')
  assert.deepEqual(up.map(imageOf), ['one', 'one'])
})
