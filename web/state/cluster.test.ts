import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServiceRow, TaskRow } from '../../src/api/dashboard/wire.ts'
import { ClusterState } from './cluster.ts'
import { countsOf, hasTile, matches, totalsOf } from './derive.ts'
import { hashOf, parseRoute } from './route.ts'

const service: ServiceRow = {
  kind: 'service',
  id: 's1',
  name: 'web',
  image: 'web:1',
  mode: 'replicated',
  replicas: 2,
  createdAt: 1,
  updatedAt: 1,
}
const aTask = (id: string, changes: Partial<TaskRow> = {}): TaskRow => ({
  kind: 'task',
  id,
  service: 's1',
  serviceName: 'web',
  slot: 1,
  node: 'n1',
  state: 'running',
  desired: 'running',
  since: 0,
  message: '',
  image: 'web:1',
  ...changes,
})
const changes = { type: 'changes', revision: 2, put: [], remove: [], events: [] } as const

function stateWith(...rows: readonly (ServiceRow | TaskRow)[]): ClusterState {
  const state = new ClusterState()
  state.apply({ type: 'snapshot', revision: 1, manager: 'm', rows, events: [] })
  return state
}
const idsOf = (tasks: Iterable<TaskRow>): string[] => [...tasks].map(({ id }) => id)

test('a task that moves is found at its new node and no longer at the old one', () => {
  const state = stateWith(service, aTask('t1'))
  const before = state.nodeStamp('n1')
  state.apply({ ...changes, put: [aTask('t1', { node: 'n2' })] })
  assert.deepEqual(idsOf(state.tasksOfNode('n1')), [])
  assert.deepEqual(idsOf(state.tasksOfNode('n2')), ['t1'])
  assert.deepEqual(idsOf(state.tasksOfService('s1')), ['t1'])
  assert.ok(state.nodeStamp('n1') > before)
  assert.equal(state.revision, 2)
})

test('what is removed is gone everywhere; a snapshot replaces all', () => {
  const state = stateWith(service, aTask('t1'), aTask('t2'))
  state.apply({ ...changes, remove: [{ kind: 'task', id: 't1' }] })
  assert.deepEqual(idsOf(state.tasksOfService('s1')), ['t2'])
  state.apply({ type: 'snapshot', revision: 9, manager: 'm', rows: [service], events: [] })
  assert.equal(state.tasks.size, 0)
  assert.deepEqual(idsOf(state.tasksOfNode('n1')), [])
})

test('colours of services differ, and stay', () => {
  const other = { ...service, id: 's2', createdAt: 0 }
  const state = stateWith(service, other)
  const [first, second] = [state.hueOf('s2'), state.hueOf('s1')]
  assert.notEqual(first, second)
  state.apply({ ...changes, remove: [{ kind: 'service', id: 's2' }] })
  assert.equal(state.hueOf('s1'), second)
})

test('a service is counted by what is wanted, and says why a task does not run', () => {
  const state = stateWith(
    service,
    aTask('t1'),
    aTask('t2', { slot: 2, state: 'pending', node: '', error: 'no suitable node' }),
    aTask('t3', { state: 'failed', desired: 'shutdown' }),
  )
  assert.deepEqual(countsOf(state, service), {
    running: 1,
    wanted: 2,
    failed: 1,
    problem: 'no suitable node',
  })
  assert.equal(totalsOf(state).problems, 1)
})

test('a failed task keeps its tile for a while, another that has ended does not', () => {
  assert.ok(hasTile(aTask('t'), 1e9))
  assert.ok(hasTile(aTask('t', { state: 'failed', since: 1_000 }), 2_000))
  assert.ok(!hasTile(aTask('t', { state: 'failed', since: 1_000 }), 60_000))
  assert.ok(!hasTile(aTask('t', { state: 'shutdown', since: 1_000 }), 2_000))
})

test('every word that is searched for must be there', () => {
  assert.ok(matches('web run', 'web.1', 'running'))
  assert.ok(!matches('web fail', 'web.1', 'running'))
  assert.ok(matches('  ', undefined))
})

test('an address leads to what it was made from', () => {
  const panel = { kind: 'stack', id: 'a/b c', tab: 'logs' } as const
  assert.deepEqual(parseRoute(hashOf('stacks', panel)), { view: 'stacks', panel })
  assert.deepEqual(parseRoute(''), { view: 'swarm', panel: undefined })
  assert.deepEqual(parseRoute('#/nonsense/x/%'), { view: 'swarm', panel: undefined })
})
