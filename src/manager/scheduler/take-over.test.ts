import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { newId } from '#model/id.ts'
import type { ServiceId } from '#model/id.ts'
import type { Task } from '#model/task.ts'
import { aNode, aTask } from '#model/testing/builders.ts'
import { NodeInfo } from './node-info.ts'
import { schedule } from './pipeline.ts'

const serviceId = newId<ServiceId>(seededRandom(1))
const port = { protocol: 'tcp', targetPort: 80, publishedPort: 80, publishMode: 'host' } as const
const node = aNode({ cpus: 4 })

const old = aTask({
  serviceId,
  nodeId: node.meta.id,
  state: 'running',
  ports: [port],
  spec: { containers: [{ name: '', image: 'x' }], resources: { reservations: { cpuNano: 3e9 } } },
})
const successor = (more: Partial<Task> = {}): Task => ({
  ...aTask({ serviceId, serviceGeneration: 2, ports: [port], spec: old.spec, desiredState: 'ready' }),
  succeeds: { taskId: old.meta.id, nodeId: node.meta.id },
  ...more,
})

function scheduled(task: Task) {
  const info = new NodeInfo(node)
  info.add(old)
  const result = schedule([task], new Map([[node.meta.id, info]]), {
    strategy: 'spread',
    random: seededRandom(1),
  })
  return { result, info }
}

test("what waits for its predecessor is made ready in that one's place: on its port and its resources", () => {
  const { result, info } = scheduled(successor())
  assert.deepEqual(
    result.placed.map((placement) => placement.nodeId),
    [node.meta.id],
  )
  assert.equal(result.unplaced.length, 0)
  // Counted are both, until the old one has ended.
  assert.equal([...info.held()].length, 2)
  info.remove(old)
  assert.ok(info.usesHostPort('80/tcp'))
  assert.equal(info.cpuNanoFree, 1e9)
})

test('pieces of generic resources are taken over too, and are free again once nobody holds them', () => {
  const wanted = { resources: { reservations: { generic: [{ kind: 'gpu', count: 1 }] } } }
  const gpu = [{ kind: 'gpu', value: 'g1' }]
  const { description } = aNode().status
  assert.ok(description)
  const resources = { ...description.resources, generic: gpu }
  const host = aNode({ status: { description: { ...description, resources } } })
  const spec = { containers: [{ name: '', image: 'x' }], ...wanted }
  const holder = aTask({ serviceId, nodeId: host.meta.id, state: 'running', spec, genericResources: gpu })
  const info = new NodeInfo(host)
  info.add(holder)
  const next = successor({ spec, ports: [], succeeds: { taskId: holder.meta.id, nodeId: host.meta.id } })
  const options = { strategy: 'spread', random: seededRandom(1) } as const
  const { placed } = schedule([next], new Map([[host.meta.id, info]]), options)
  assert.deepEqual(
    placed.map(({ genericResources }) => genericResources),
    [gpu],
  )
  info.remove(holder)
  assert.equal(info.generic.choose(wanted.resources.reservations.generic), undefined)
  info.remove({ ...next, genericResources: gpu })
  assert.deepEqual(info.generic.choose(wanted.resources.reservations.generic), gpu)
})

test("what would start beside its predecessor is told when it fits in that one's place alone", () => {
  const [left] = scheduled(successor({ desiredState: 'running' })).result.unplaced
  assert.equal(
    left?.reason,
    'no suitable node (insufficient resources on 1 node); it fits only once the task that it replaces has stopped, which therefore stops first',
  )
})

test('nothing else takes what somebody holds', () => {
  const { succeeds: _, ...other } = successor()
  assert.equal(scheduled(other).result.placed.length, 0)
  assert.equal(scheduled(successor({ desiredState: 'running' })).result.placed.length, 0)
  const tooBig = { ...old.spec, resources: { reservations: { cpuNano: 5e9 } } }
  assert.equal(scheduled(successor({ spec: tooBig })).result.placed.length, 0)
})
