import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import type { NetworkId, NodeId, ServiceId } from '#model/id.ts'
import type { Network } from '#model/network.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aTask, testEpoch } from '#model/testing/builders.ts'
import { taskToText } from './task-text.ts'
import { taskFromModel } from './task.ts'

const network = {
  kind: 'network',
  meta: { ...aTask().meta, id: 'net', name: 'front' },
  spec: {
    name: 'front',
    labels: { '"': '\\' },
    driver: { name: 'overlay' },
    ipv6: false,
    internal: false,
    attachable: true,
    ingress: false,
    ipam: { driver: { name: 'default' }, ranges: [] },
  },
  status: { driver: { name: 'overlay', options: {} }, ranges: [] },
} as unknown as Network

// Texts with quotes, line feeds and lone surrogates.
const text = fc.string({ unit: 'binary', maxLength: 12 })
const template = fc.record({
  containers: fc.tuple(fc.record({ name: fc.constant(''), image: text, env: fc.array(text) })),
  forceUpdate: fc.nat(3),
})

const task = fc
  .record({
    spec: template,
    slot: fc.nat(3),
    nodeId: fc.constantFrom('', 'n1'),
    serviceId: fc.constantFrom('', 's1'),
    state: fc.constantFrom<TaskState>('new', 'running', 'failed'),
    error: text,
    ports: fc.boolean(),
    containerId: fc.option(text),
    attached: fc.constantFrom('net', 'gone', undefined),
    jobIteration: fc.option(fc.nat(2)),
  })
  .map(({ error, ports, containerId, attached, jobIteration, ...rest }): Task => {
    const made = aTask({
      ...rest,
      nodeId: rest.nodeId as NodeId,
      serviceId: rest.serviceId as ServiceId,
      attachments:
        attached === undefined
          ? []
          : [{ networkId: attached as NetworkId, addresses: ['10.0.0.2/24'], aliases: [] }],
      ...(jobIteration === null ? {} : { jobIteration }),
    })
    const containers =
      containerId === null ? [] : [{ name: '', containerId, pid: 1, startedAt: instant(testEpoch + 1) }]
    const hostPorts = [{ protocol: 'tcp', targetPort: 80, publishedPort: 81, publishMode: 'host' }] as const
    const status = { ...made.status, error, containers }
    return { ...made, status: ports ? { ...status, hostPorts } : status }
  })

test("a task's text is the JSON of what Docker calls a task", () => {
  const networkOf = (id: string) => (id === 'net' ? network : undefined)
  fc.assert(
    fc.property(task, (one) => {
      const expected = JSON.stringify(taskFromModel(one, networkOf))
      assert.equal(taskToText(one, networkOf), expected)
      // And again, from what was kept of the first time.
      assert.equal(taskToText({ ...one, slot: one.slot }, networkOf), expected)
    }),
  )
})

test('the first run of a job has a number that Docker leaves out', () => {
  for (const [jobIteration, shown] of [
    [0, {}],
    [3, { Index: 3 }],
  ] as const) {
    const text = taskToText({ ...aTask({}), jobIteration }, () => undefined)
    assert.deepEqual((JSON.parse(text) as Record<string, unknown>)['JobIteration'], shown)
  }
})
