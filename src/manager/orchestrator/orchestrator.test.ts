import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import type { Change } from '#model/change.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aNode, aService, aTask, testEpoch } from '#model/testing/builders.ts'
import { reconcileService } from './reconcile.ts'
import type { ServiceView } from './service-view.ts'

const now = instant(testEpoch + 60_000)
const nodes = [aNode({ hostname: 'a' }), aNode({ hostname: 'b' })]
const [a, b] = nodes as [Node, Node]

const viewOf = (
  service: Service | undefined,
  tasks: readonly Task[],
  more: Partial<ServiceView> = {},
): ServiceView => ({
  service,
  tasks,
  node: (id) => nodes.find((node) => node.meta.id === id),
  nodes: () => nodes,
  taskHistoryLimit: 5,
  drainOrder: 'start-first',
  ...more,
})
const decide = (view: ServiceView, at = now) => reconcileService(view, { now: at, random: seededRandom(1) })
const created = (changes: readonly Change[]): Task[] =>
  changes.flatMap((change) => (change.op === 'create' ? [change.object as Task] : []))
const desires = (changes: readonly Change[]): [string, TaskState][] =>
  changes.flatMap((change): [string, TaskState][] =>
    change.op === 'update' && change.object.kind === 'task'
      ? [[change.object.meta.id, change.object.desiredState]]
      : [],
  )
const taskOf = (service: Service, slot: number, state: TaskState, more: Partial<Task> = {}) =>
  aTask({ serviceId: service.meta.id, spec: service.spec.template, slot, state, nodeId: a.meta.id, ...more })

test('missing slots are filled, lowest number first', () => {
  const service = aService({ replicas: 4 })
  const tasks = [taskOf(service, 2, 'running')]
  assert.deepEqual(
    created(decide(viewOf(service, tasks)).changes).map((task) => task.slot),
    [1, 3, 4],
  )
})

test('scaling down removes what does not run, then from the node with the most', () => {
  const service = aService({ replicas: 2 })
  const tasks = [
    taskOf(service, 1, 'running'),
    taskOf(service, 2, 'running'),
    taskOf(service, 3, 'running', { nodeId: b.meta.id }),
    taskOf(service, 4, 'starting'),
  ]
  const removed = desires(decide(viewOf(service, tasks)).changes)
  assert.deepEqual(
    new Map(removed),
    new Map([
      [tasks[3]?.meta.id, 'remove'],
      [tasks[1]?.meta.id, 'remove'],
    ]),
  )
})

test('a failed task is replaced after the delay, and the replacement carries the count', () => {
  const service = aService()
  const failed = {
    ...taskOf(service, 1, 'failed'),
    status: { ...taskOf(service, 1, 'failed').status, since: now },
  }
  const first = decide(viewOf(service, [failed]))
  const [replacement] = created(first.changes)
  assert.equal(replacement?.desiredState, 'ready')
  assert.equal(replacement?.restarts?.count, 1)
  assert.equal(first.wakeAt, now + 5_000)
  const later = instant(now + 5_000)
  const ended: Task = { ...failed, desiredState: 'shutdown' }
  assert.deepEqual(desires(decide(viewOf(service, [ended, replacement]), later).changes), [
    [replacement?.meta.id, 'running'],
  ])
})

test('restart policies', () => {
  const count = (condition: 'none' | 'on-failure' | 'any', state: TaskState) => {
    const service = aService({ template: { containers: [{ name: '', image: 'x' }], restart: { condition } } })
    return created(decide(viewOf(service, [taskOf(service, 1, state)])).changes).length
  }
  assert.deepEqual(
    [
      count('none', 'failed'),
      count('on-failure', 'complete'),
      count('on-failure', 'failed'),
      count('any', 'complete'),
    ],
    [0, 0, 1, 1],
  )
})

test('as many attempts as the policy allows, and the slot is then left alone', () => {
  const restart = { condition: 'any', maxAttempts: 2 } as const
  const service = aService({ template: { containers: [{ name: '', image: 'x' }], restart } })
  const last = taskOf(service, 1, 'failed', { restarts: { count: 2, at: [now, now] } })
  assert.equal(created(decide(viewOf(service, [last])).changes).length, 0)
  const shut: Task = { ...last, desiredState: 'shutdown' }
  assert.deepEqual(decide(viewOf(service, [shut])).changes, [])
})

test('a lost node: its slots are filled at once, without delay and without counting', () => {
  const service = aService()
  const down: Node = { ...a, status: { ...a.status, state: 'down' } }
  const task = taskOf(service, 1, 'running')
  const { changes } = decide(viewOf(service, [task], { node: (id) => (id === a.meta.id ? down : b) }))
  assert.deepEqual(desires(changes), [[task.meta.id, 'shutdown']])
  assert.deepEqual(
    created(changes).map((made) => [made.desiredState, made.restarts?.count]),
    [['running', 0]],
  )
})

test('a drained node: the replacement runs before the old task stops', () => {
  const service = aService()
  const drained: Node = { ...a, spec: { ...a.spec, availability: 'drain' } }
  const view = (tasks: readonly Task[]) =>
    viewOf(service, tasks, { node: (id) => (id === a.meta.id ? drained : b) })
  const old = taskOf(service, 1, 'running')
  const first = decide(view([old]))
  assert.deepEqual(desires(first.changes), [])
  const [fresh] = created(first.changes)
  const starting: Task = {
    ...(fresh as Task),
    nodeId: b.meta.id,
    status: { ...(fresh as Task).status, state: 'starting' },
  }
  assert.deepEqual(decide(view([old, starting])).changes, [])
  const running: Task = { ...starting, status: { ...starting.status, state: 'running' } }
  assert.deepEqual(desires(decide(view([old, running])).changes), [[old.meta.id, 'shutdown']])
})

test('a removed service takes its tasks along', () => {
  const service = aService()
  const tasks = [taskOf(service, 1, 'running'), taskOf(service, 2, 'shutdown', { desiredState: 'remove' })]
  const { changes } = decide(viewOf(undefined, tasks))
  assert.deepEqual(desires(changes), [[tasks[0]?.meta.id, 'remove']])
  assert.deepEqual(changes.filter((change) => change.op === 'remove').length, 1)
})

test('history is kept to the limit', () => {
  const service = aService()
  const old = Array.from({ length: 9 }, (_, i) =>
    taskOf(service, 1, 'failed', {
      desiredState: 'shutdown',
      meta: { ...aTask().meta, createdAt: instant(testEpoch + i) },
    }),
  ).map((task, i) => ({ ...task, meta: { ...task.meta, createdAt: instant(testEpoch + i) } }))
  const { changes } = decide(
    viewOf(service, [
      ...old,
      { ...taskOf(service, 1, 'running'), meta: { ...aTask().meta, createdAt: now } },
    ]),
  )
  assert.deepEqual(
    changes.map((change) => (change.op === 'remove' ? change.id : '')),
    old.slice(0, 5).map((task) => task.meta.id),
  )
})

test('a global service has one task on each node that may have it', () => {
  const service = aService({ mode: { type: 'global' } })
  const tasks = [taskOf(service, 0, 'running')]
  assert.deepEqual(
    created(decide(viewOf(service, tasks)).changes).map((task) => task.nodeId),
    [b.meta.id],
  )
})

test('an update replaces one slot at a time: the new task is made ready before the old one is stopped', () => {
  const before = aService({ replicas: 2 })
  const service: Service = {
    ...before,
    meta: { ...before.meta, generation: 2 },
    spec: { ...before.spec, template: { containers: [{ name: '', image: 'busybox:2' }] } },
  }
  const tasks = [taskOf(before, 1, 'running'), taskOf(before, 2, 'running')]
  const { changes } = decide(viewOf(service, tasks))
  assert.equal(created(changes).length, 1)
  assert.equal(created(changes)[0]?.desiredState, 'ready')
  assert.deepEqual(desires(changes), [])
  const status = changes.find((change) => change.op === 'update' && change.object.kind === 'service')
  assert.equal(
    status?.op === 'update' && status.object.kind === 'service' && status.object.status.update?.state,
    'updating',
  )
})
