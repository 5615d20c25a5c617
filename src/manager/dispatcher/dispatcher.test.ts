import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import type { NodeId } from '#model/id.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aNode, aTask, testEpoch } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { assignmentsFor, diffAssignments, emptyAssignments } from './assignments.ts'
import { judgeNode } from './health.ts'
import { withoutPort } from './node-record.ts'
import { mergeStatus } from './status-merge.ts'

const nodeId = 'node' as NodeId
const seen = (task: Task, state: TaskState) => ({ ...task.status, state })

test("a task's state only grows, whatever the order of reports", () => {
  const task = aTask({ state: 'running' })
  assert.equal(mergeStatus(task, seen(task, 'starting'), testEpoch), undefined)
  assert.equal(mergeStatus(task, seen(task, 'running'), testEpoch), undefined)
  assert.equal(mergeStatus(task, seen(task, 'failed'), testEpoch)?.status.state, 'failed')
  assert.equal(mergeStatus(aTask({ state: 'shutdown' }), seen(task, 'running'), testEpoch), undefined)
})

test('an agent hears of what concerns it, and not of its own reports', () => {
  const mirror = new StoreMirror(silentLogger)
  const task = aTask({ nodeId, state: 'assigned' })
  const put = (object: Task, version: number) => {
    mirror.apply({
      revision: version,
      entries: [
        { kind: 'task', id: object.meta.id, object: { ...object, meta: { ...object.meta, version } } },
      ],
    })
    return assignmentsFor(mirror, nodeId)
  }
  const first = put(task, 1)
  assert.equal(diffAssignments(emptyAssignments(), first)?.tasks.put.length, 1)
  const second = put({ ...task, status: { ...task.status, state: 'running' } }, 2)
  assert.equal(diffAssignments(first, second), undefined)
  const third = put({ ...task, desiredState: 'shutdown' }, 3)
  assert.equal(diffAssignments(second, third)?.tasks.put.length, 1)
  mirror.apply({ revision: 4, entries: [{ kind: 'task', id: task.meta.id, object: undefined }] })
  assert.deepEqual(diffAssignments(third, assignmentsFor(mirror, nodeId))?.tasks.remove, [task.meta.id])
})

const signs = {
  beatAgeMs: 300,
  leadingMs: 60_000,
  managerAgeMs: undefined,
  ownStallMs: 0,
  downForMs: undefined,
  heartbeatMs: 1_000,
}

test('a node is down after two silent periods', () => {
  assert.equal(judgeNode(aNode(), signs).state, 'ready')
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: 2_100 }).state, 'down')
  const down = aNode({ status: { state: 'down' } })
  assert.equal(judgeNode(down, signs).state, 'ready')
  assert.equal(judgeNode(down, { ...signs, beatAgeMs: 300, downForMs: 2_000 }).state, 'ready')
  assert.equal(judgeNode(down, { ...signs, beatAgeMs: 300, downForMs: 200 }).state, 'down')
})

test("no node is down for the judge's own faults", () => {
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: 4_000, ownStallMs: 3_000 }).state, 'ready')
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: undefined, leadingMs: 1_000 }).state, 'ready')
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: undefined }).state, 'down')
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: 4_000, managerAgeMs: 4_000 }).state, 'ready')
  assert.equal(judgeNode(aNode(), { ...signs, beatAgeMs: 8_000, managerAgeMs: 8_000 }).state, 'down')
})

test('a node that said farewell is given its time; one that is down stays so', () => {
  const silent = { ...signs, beatAgeMs: 6_000 }
  assert.equal(judgeNode(aNode(), { ...silent, backWithinMs: 4_000 }).state, 'ready')
  assert.equal(
    judgeNode(aNode({ status: { state: 'down' } }), { ...silent, backWithinMs: 4_000 }).state,
    'down',
  )
})

test('addresses without their ports', () => {
  assert.deepEqual(['10.0.0.1:2377', '10.0.0.1', '[::1]:2377', '::1', '::ffff:10.0.0.1'].map(withoutPort), [
    '10.0.0.1',
    '10.0.0.1',
    '::1',
    '::1',
    '10.0.0.1',
  ])
})
