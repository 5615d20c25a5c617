import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { seededRandom } from '#lib/random.ts'
import type { StoredObject } from '#model/objects.ts'
import { aNode, aService, aTask, testEpoch } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { explainPlacement } from './placement-report.ts'

const env = { now: instant(testEpoch + 60_000), random: seededRandom(1) }

function explain(wanted: string, ...objects: StoredObject[]) {
  const view = new StoreMirror(silentLogger)
  view.replace(
    objects.map((object) => ({ ...object, meta: { ...object.meta, version: 1 } }) as StoredObject),
    1,
  )
  return explainPlacement(view, wanted, env)
}

const template = {
  containers: [{ name: '', image: 'x' }],
  resources: { reservations: { cpuNano: 2e9 } },
  placement: { constraints: ['node.labels.zone==a'] },
}
const service = aService({ name: 'web', template, replicas: 2 })
const a = aNode({ hostname: 'a', labels: { zone: 'a' } })
const small = aNode({ hostname: 'small', labels: { zone: 'a' }, cpus: 1 })
const other = aNode({ hostname: 'other', labels: { zone: 'b' } })
const paused = aNode({ hostname: 'paused', availability: 'pause' })
const task = (slot: number, more: Parameters<typeof aTask>[0]) =>
  aTask({ serviceId: service.meta.id, serviceName: 'web', spec: template, slot, ...more })

test('each node says what refuses the task, or how it stands', () => {
  const running = task(1, { nodeId: a.meta.id, state: 'running' })
  const waiting = task(2, { state: 'pending' })
  const report = explain('web', service, a, small, other, paused, running, waiting)
  assert.deepEqual(
    report.nodes.map(({ name, rank, refusedBy, why }) => [name, rank ?? refusedBy, why]),
    [
      ['a', 1, '1 of this service, 1 in all'],
      ['other', 'constraints', 'node.labels.zone==a'],
      ['paused', 'ready', 'its availability is pause'],
      ['small', 'resources', '2 CPUs reserved, 1 CPUs free'],
    ],
  )
  assert.deepEqual(
    report.tasks.map(({ name, node, state }) => [name, node, state]),
    [
      ['web.1', 'a', 'running'],
      ['web.2', '', 'pending'],
    ],
  )
})

test('a running task is asked about as if it had no node, so its own weight does not count', () => {
  const running = task(1, { nodeId: a.meta.id, state: 'running' })
  for (const wanted of ['web.1', running.meta.id, running.meta.id.slice(0, 8)]) {
    const report = explain(wanted, service, a, running)
    assert.deepEqual(
      report.nodes.map(({ why }) => why),
      ['0 of this service, 0 in all'],
    )
    assert.match(report.tasks[0]?.why ?? '', /lacked a task/)
  }
})

test('what there is not is said', () => {
  assert.throws(() => explain('nope', service), /no such task or service: nope/)
})

test('an end that is not followed by another task says why', () => {
  const once = aService({
    name: 'once',
    template: { containers: [{ name: '', image: 'x' }], restart: { condition: 'none' } },
  })
  const failed = aTask({
    serviceId: once.meta.id,
    serviceName: 'once',
    spec: once.spec.template,
    state: 'failed',
    desiredState: 'shutdown',
    nodeId: a.meta.id,
  })
  const [told] = explain('once', once, a, failed).tasks
  assert.match(told?.why ?? '', /not replaced: the restart policy is "none"/)
})
