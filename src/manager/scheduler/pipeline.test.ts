import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '#lib/random.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { TaskTemplate } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aNode, aTask } from '#model/testing/builders.ts'
import { nodeInfos } from './cluster-nodes.ts'
import { schedule } from './pipeline.ts'
import { compareScores } from './strategies/strategy.ts'

const serviceId = 'service' as ServiceId
const options = { strategy: 'spread' as const, random: seededRandom(1) }
const tasksOf = (count: number, spec: Partial<TaskTemplate> = {}, more: Partial<Task> = {}) =>
  Array.from({ length: count }, (_, i) =>
    aTask({
      serviceId,
      slot: i + 1,
      spec: { containers: [{ name: '', image: 'busybox' }], ...spec },
      ...more,
    }),
  )
const run = (tasks: readonly Task[], nodes: readonly Node[], present: readonly Task[] = []) =>
  schedule(tasks, nodeInfos(nodes, present), options)
const counts = (nodes: readonly Node[], placed: readonly { nodeId: NodeId }[]) =>
  nodes.map((node) => placed.filter((placement) => placement.nodeId === node.meta.id).length)

test('tasks are spread evenly', () => {
  const nodes = [aNode({ hostname: 'a' }), aNode({ hostname: 'b' }), aNode({ hostname: 'c' })]
  assert.deepEqual(counts(nodes, run(tasksOf(9), nodes).placed), [3, 3, 3])
})

test('a node that has much of other services gets less only among equals', () => {
  const nodes = [aNode({ hostname: 'busy' }), aNode({ hostname: 'idle' })]
  const other = aTask({ serviceId: 'other' as ServiceId, nodeId: nodes[0]?.meta.id ?? '', state: 'running' })
  assert.deepEqual(counts(nodes, run(tasksOf(1), nodes, [other]).placed), [0, 1])
  assert.deepEqual(counts(nodes, run(tasksOf(4), nodes, [other]).placed), [2, 2])
})

test('every refusal is counted, in the words of Swarm', () => {
  const nodes = [
    aNode({ availability: 'drain' }),
    aNode({ memoryBytes: 2 ** 20 }),
    aNode({ labels: { zone: 'b' } }),
    aNode({ status: { state: 'down' } }),
  ]
  const { unplaced } = run(
    tasksOf(1, {
      resources: { reservations: { memoryBytes: 2 ** 30 } },
      placement: { constraints: ['node.labels.zone==a'] },
    }),
    nodes,
  )
  assert.equal(
    unplaced[0]?.reason,
    'no suitable node (2 nodes not available for new tasks; insufficient resources on 1 node; scheduling constraints not satisfied on 1 node)',
  )
  assert.equal(run(tasksOf(1), []).unplaced[0]?.reason, 'no suitable node')
})

test('max replicas per node and host ports leave the rest unplaced', () => {
  const nodes = [aNode(), aNode()]
  const limited = run(tasksOf(5, { placement: { maxReplicasPerNode: 2 } }), nodes)
  assert.deepEqual(counts(nodes, limited.placed), [2, 2])
  assert.match(limited.unplaced[0]?.reason ?? '', /\(max replicas per node limit exceed\)/)
  const ports = [{ protocol: 'tcp', targetPort: 80, publishedPort: 80, publishMode: 'host' }] as const
  const ported = run(tasksOf(3, {}, { ports }), nodes)
  assert.deepEqual(counts(nodes, ported.placed), [1, 1])
  assert.match(ported.unplaced[0]?.reason ?? '', /host-mode port already in use on 2 nodes/)
})

test('on any load, each task goes to a node with the fewest of its service, then with the fewest of all', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ own: fc.nat(3), others: fc.nat(4), room: fc.nat(6), bad: fc.boolean() }), {
        minLength: 1,
        maxLength: 10,
      }),
      fc.integer({ min: 1, max: 25 }),
      fc.nat(),
      (machines, count, seed) => {
        const nodes = machines.map(({ own, others, room, bad }) =>
          aNode({
            cpus: own + others + room,
            ...(bad ? { taints: [{ key: 'k', effect: 'prefer-no-schedule' }] } : {}),
          }),
        )
        const resources = { reservations: { cpuNano: 1e9 } }
        const present = machines.flatMap(({ own, others }, index) => {
          const where = { nodeId: nodes[index]?.meta.id ?? '', state: 'running' } as const
          return [
            ...tasksOf(own, { resources }, where),
            ...tasksOf(others, { resources }, { ...where, serviceId: 'other' as ServiceId }),
          ]
        })
        const infos = nodeInfos(nodes, present)
        const { placed } = schedule(tasksOf(count, { resources }), infos, {
          ...options,
          random: seededRandom(seed),
        })
        // Seen again one by one: no node that had room was better at that moment.
        const replay = nodeInfos(nodes, present)
        const rank = (id: NodeId) => {
          const info = replay.get(id)
          const isBad = info?.node.spec.taints !== undefined
          return info === undefined ? [] : [Number(isBad), info.tasksOf(serviceId), info.tasks]
        }
        for (const { task, nodeId } of placed) {
          for (const info of replay.values())
            if (info.cpuNanoFree >= 1e9)
              assert.ok(
                compareScores(rank(nodeId), rank(info.node.meta.id)) <= 0,
                'a better node was left out',
              )
          replay.get(nodeId)?.add(task)
        }
      },
    ),
  )
})

test('preferences spread over groups before nodes', () => {
  const nodes = [
    aNode({ hostname: 'a1', labels: { zone: 'a' } }),
    aNode({ hostname: 'b1', labels: { zone: 'b' } }),
    aNode({ hostname: 'b2', labels: { zone: 'b' } }),
    aNode({ hostname: 'b3', labels: { zone: 'b' } }),
  ]
  const { placed } = run(tasksOf(6, { placement: { preferences: [{ spread: 'node.labels.zone' }] } }), nodes)
  assert.deepEqual(counts(nodes, placed), [3, 1, 1, 1])
})

test('a node where the service fails again and again comes last', () => {
  const nodes = [aNode({ hostname: 'bad' }), aNode({ hostname: 'good' })]
  const failures = Array.from({ length: 5 }, () =>
    aTask({ serviceId, nodeId: nodes[0]?.meta.id ?? '', state: 'failed' }),
  )
  assert.deepEqual(counts(nodes, run(tasksOf(3), nodes, failures).placed), [0, 3])
})

test('a global task goes to its own node or nowhere', () => {
  const nodes = [aNode({ hostname: 'a' }), aNode({ hostname: 'b', availability: 'pause' })]
  const [a, b] = nodes.map((node) => node.meta.id)
  const { placed, unplaced } = run(
    [aTask({ serviceId, nodeId: a ?? '' }), aTask({ serviceId, nodeId: b ?? '' })],
    nodes,
  )
  assert.deepEqual(
    placed.map((placement) => placement.nodeId),
    [a],
  )
  assert.match(unplaced[0]?.reason ?? '', /1 node not available for new tasks/)
})

test('no placement ever overbooks a node, and nothing placeable is left', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ cpus: fc.integer({ min: 0, max: 4 }), drained: fc.boolean() }), {
        minLength: 1,
        maxLength: 8,
      }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 3 }),
      (machines, count, perNode) => {
        const nodes = machines.map(({ cpus, drained }) =>
          aNode({ cpus, availability: drained ? 'drain' : 'active' }),
        )
        const { placed, unplaced } = run(
          tasksOf(count, {
            resources: { reservations: { cpuNano: 1e9 } },
            placement: { maxReplicasPerNode: perNode },
          }),
          nodes,
        )
        assert.equal(placed.length + unplaced.length, count)
        const room = machines.map(({ cpus, drained }) =>
          drained ? 0 : perNode === 0 ? cpus : Math.min(cpus, perNode),
        )
        for (const [index, used] of counts(nodes, placed).entries()) assert.ok(used <= (room[index] ?? 0))
        assert.equal(
          placed.length,
          Math.min(
            count,
            room.reduce((sum, each) => sum + each, 0),
          ),
        )
      },
    ),
  )
})
