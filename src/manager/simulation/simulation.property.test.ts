import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import { remove, update } from '#model/change.ts'
import { create } from '#model/change.ts'
import type { ClusterSpec } from '#model/cluster.ts'
import type { Node } from '#model/node.ts'
import type { Service, ServiceSpec, UpdatePolicy } from '#model/service.ts'
import { isLive, isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aCluster, aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { dutiful } from './agents.ts'
import { SimulatedCluster } from './simulated-cluster.ts'

const names = ['one', 'two', 'three'] as const

/** What may happen to a cluster, at any moment. */
const anEvent = fc.oneof(
  fc.record({ do: fc.constant('scale' as const), service: fc.constantFrom(...names), replicas: fc.nat(6) }),
  fc.record({ do: fc.constant('image' as const), service: fc.constantFrom(...names) }),
  fc.record({ do: fc.constant('drop' as const), service: fc.constantFrom(...names) }),
  fc.record({
    do: fc.constant('available' as const),
    node: fc.nat(3),
    to: fc.constantFrom('active' as const, 'pause' as const, 'drain' as const),
  }),
  fc.record({ do: fc.constant('power' as const), node: fc.nat(3), on: fc.boolean() }),
  fc.record({ do: fc.constant('fail' as const), nth: fc.nat(20) }),
  fc.record({ do: fc.constant('rebalance' as const) }),
  fc.record({ do: fc.constant('leader' as const) }),
  fc.record({ do: fc.constant('steps' as const), count: fc.integer({ min: 1, max: 8 }) }),
)

const aWorld = fc.record({
  seed: fc.nat(),
  perNode: fc.integer({ min: 0, max: 2 }),
  hostPort: fc.boolean(),
  order: fc.constantFrom('start-first' as const, 'stop-first' as const),
  rebalance: fc.boolean(),
  strategy: fc.constantFrom('spread' as const, 'binpack' as const, 'random' as const),
  events: fc.array(anEvent, { maxLength: 25 }),
})

type World = Parameters<Parameters<typeof aWorld.map>[0]>[0]
type Happening = World['events'][number]

const policy = (order: 'start-first' | 'stop-first'): UpdatePolicy => ({
  order,
  parallelism: 2,
  monitorMs: 1_000,
})

function servicesOf({ perNode, hostPort, order }: World): Service[] {
  const reserving = (cpus: number) => ({ reservations: { cpuNano: cpus * 1e9 } })
  const containers = [{ name: '', image: 'x:1' }]
  return [
    aService({
      name: 'one',
      replicas: 4,
      update: policy(order),
      template: { containers, resources: reserving(1), placement: { maxReplicasPerNode: perNode } },
    }),
    aService({
      name: 'two',
      replicas: 2,
      update: policy(order),
      template: { containers },
      ...(hostPort
        ? {
            endpoint: {
              ports: [{ protocol: 'tcp', targetPort: 80, publishedPort: 80, publishMode: 'host' }],
            },
          }
        : {}),
    }),
    aService({
      name: 'three',
      mode: { type: 'global' },
      template: { containers, resources: reserving(0.5) },
    }),
  ]
}

async function simulate(world: World): Promise<void> {
  const nodes = [2, 3, 4, 4].map((cpus, index) => aNode({ hostname: `n${String(index)}`, cpus }))
  const scheduling: NonNullable<ClusterSpec['scheduling']> = {
    strategy: world.strategy,
    rebalance: world.rebalance,
  }
  await using cluster = await SimulatedCluster.of({
    objects: [aCluster({ scheduling }), ...nodes, ...servicesOf(world)],
    now: testEpoch,
    random: seededRandom(world.seed),
  })
  using _watch = cluster.mirror.subscribe(() => {
    checkAlways(cluster)
  })
  for (const event of world.events) {
    await happen(cluster, event, nodes)
    await step(cluster)
  }
  const { atRest, turns } = await cluster.settle()
  assert.ok(atRest, `not at rest after ${String(turns)} turns`)
  checkAtRest(cluster)
}

/** One step of whoever has any to take. */
async function step(cluster: SimulatedCluster): Promise<void> {
  if (!(await cluster.turn()) && !(await cluster.agents())) cluster.advance(instant(cluster.now + 60_000))
}

async function happen(cluster: SimulatedCluster, event: Happening, nodes: readonly Node[]): Promise<void> {
  const { mirror } = cluster
  const edit = async (name: string, change: (spec: ServiceSpec) => ServiceSpec) => {
    const service = mirror.byName('service', name)
    if (service === undefined) return
    const { update: _, ...status } = service.status
    const meta = { ...service.meta, generation: service.meta.generation + 1 }
    await cluster.write([
      update({
        ...service,
        meta,
        spec: change(service.spec),
        status: { ...status, previousSpec: service.spec },
      }),
    ])
  }
  const node = 'node' in event ? mirror.get('node', nodes[event.node]?.meta.id ?? '') : undefined
  switch (event.do) {
    case 'scale':
      return edit(event.service, (spec) =>
        spec.mode.type === 'replicated'
          ? { ...spec, mode: { type: 'replicated', replicas: event.replicas } }
          : spec,
      )
    case 'image':
      return edit(event.service, (spec) => ({
        ...spec,
        template: { ...spec.template, forceUpdate: (spec.template.forceUpdate ?? 0) + 1 },
      }))
    case 'drop': {
      const service = mirror.byName('service', event.service)
      return cluster.write(
        service === undefined
          ? [create(aService({ name: event.service, replicas: 2, update: policy('stop-first') }))]
          : [remove(service)],
      )
    }
    case 'available': {
      if (node === undefined) return
      const meta = { ...node.meta, generation: node.meta.generation + 1 }
      return cluster.write([update({ ...node, meta, spec: { ...node.spec, availability: event.to } })])
    }
    case 'power':
      if (node === undefined) return
      return cluster.write([
        update({ ...node, status: { ...node.status, state: event.on ? 'ready' : 'down' } }),
      ])
    case 'fail': {
      const running = [...mirror.list('task')].filter((task) => task.status.state === 'running')
      const victim = running[event.nth % Math.max(1, running.length)]
      if (victim === undefined) return
      cluster.behaviour = (task, host) =>
        task.meta.id === victim.meta.id && host.status.state === 'ready' ? 'failed' : dutiful(task, host)
      cluster.wakeAgents()
      await cluster.agents()
      cluster.behaviour = dutiful
      return
    }
    case 'leader':
      cluster.changeLeader()
      return
    case 'rebalance':
      return cluster.write(
        [...mirror.list('service')].map((service) =>
          update({ ...service, status: { ...service.status, rebalance: { startedAt: cluster.now } } }),
        ),
      )
    case 'steps':
      for (let count = 0; count < event.count; count++) await step(cluster)
  }
}

const isUp = (task: Task): boolean => task.status.state === 'running'
const holds = (task: Task): boolean => task.nodeId !== '' && isLive(task.status.state)

/** What holds at every moment, in the middle of anything. */
function checkAlways({ mirror }: SimulatedCluster): void {
  for (const node of mirror.list('node')) {
    const held = [...mirror.tasksOfNode(node.meta.id)].filter(holds)
    const cpus = held.reduce((sum, task) => sum + (task.spec.resources?.reservations?.cpuNano ?? 0), 0)
    assert.ok(cpus <= (node.status.description?.resources.cpuNano ?? 0), `${node.meta.name} is overcommitted`)
    const ports = held.flatMap((task) => task.ports.map((port) => port.publishedPort))
    assert.equal(new Set(ports).size, ports.length, `a port of ${node.meta.name} is taken twice`)
    for (const [, tasks] of Map.groupBy(held, (task) => task.serviceId)) {
      const limit = tasks[0]?.spec.placement?.maxReplicasPerNode ?? 0
      const wanted = tasks.filter((task) => isRunnable(task.desiredState))
      assert.ok(limit === 0 || wanted.length <= limit, `${node.meta.name} has too many replicas`)
    }
  }
}

/** What holds once nothing is left to do. */
function checkAtRest({ mirror }: SimulatedCluster): void {
  for (const service of mirror.list('service')) {
    const wanted = [...mirror.tasksOfService(service.meta.id)].filter((task) => isRunnable(task.desiredState))
    const placeOf = (task: Task) => (task.slot === 0 ? task.nodeId : task.slot)
    // An update that starts first may wait for room beside the task that runs.
    const places = wanted.filter((task) => task.status.error === '').map(placeOf)
    assert.equal(new Set(places).size, places.length, `a slot of ${service.spec.name} has two tasks`)
    if (service.spec.mode.type === 'replicated')
      assert.equal(
        new Set(wanted.map(placeOf)).size,
        service.spec.mode.replicas,
        `${service.spec.name} lacks tasks`,
      )
    for (const task of wanted) {
      const node = mirror.get('node', task.nodeId)
      if (task.status.error !== '') continue
      assert.ok(isUp(task), `${service.spec.name}.${String(task.slot)} is ${task.status.state}`)
      assert.notEqual(node?.status.state, 'down')
      assert.notEqual(node?.spec.availability, 'drain')
    }
    // It waits for an update that waits for room.
    if (service.status.update?.state !== 'updating' && service.status.update?.state !== 'rollback_started')
      assert.equal(service.status.rebalance, undefined, 'a rebalance never ended')
  }
  const ids = new Set([...mirror.list('service')].map((service) => service.meta.id as string))
  for (const task of mirror.list('task'))
    if (!ids.has(task.serviceId)) {
      const down = mirror.get('node', task.nodeId)?.status.state === 'down'
      assert.ok(down, 'a task outlived its service')
    }
}

test('whatever happens, nothing is booked twice, and all comes to rest with what was asked for', async () => {
  await fc.assert(fc.asyncProperty(aWorld, simulate), { numRuns: 100 })
})
