import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { silentLogger } from '#lib/logger.ts'
import type { NetworkId, NodeId, TaskId } from '#model/id.ts'
import type { Network } from '#model/network.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aTask, testEpoch } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import type { Assignments } from '#rpc/messages.ts'
import { assignmentsFor, emptyAssignments } from './assignments.ts'
import type { AssignmentSet } from './assignments.ts'
import { KnownAssignments } from './known-assignments.ts'

const nodeId = 'here' as NodeId
const states: readonly TaskState[] = ['pending', 'assigned', 'running', 'failed']

const aNetwork = (name: string) => {
  const head = { version: 0, generation: 1, createdAt: testEpoch, updatedAt: testEpoch, labels: {} }
  return {
    kind: 'network',
    meta: { ...head, id: name, name },
    spec: { name, labels: {} },
    status: {},
  } as unknown as Network
}

const aStep = fc.record({
  index: fc.nat(5),
  gone: fc.boolean(),
  state: fc.constantFrom(...states),
  desiredState: fc.constantFrom<TaskState>('running', 'shutdown'),
  node: fc.constantFrom('here', 'elsewhere', ''),
  networks: fc.uniqueArray(fc.nat(2)),
  /** How many steps are told together. */
  tell: fc.boolean(),
})

test('what an agent was told piece by piece is what it would be told at once', () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 30 }), (steps) => {
      const mirror = new StoreMirror(silentLogger)
      const networks = [0, 1, 2].map((index) => aNetwork(`n${String(index)}`))
      let revision = 1
      const put = (kind: 'task' | 'network', id: string, object: Task | Network | undefined) => {
        const version = ++revision
        const stored = object && { ...object, meta: { ...object.meta, version } }
        mirror.apply({ revision, entries: [{ kind, id, object: stored as Task | undefined }] })
      }
      for (const network of networks) put('network', network.meta.id, network)
      const known = new KnownAssignments(nodeId)
      const agent = emptyAssignments()
      take(agent, known.all(mirror))
      const dirty = new Set<TaskId>()
      for (const step of steps) {
        const id = `t${String(step.index)}` as TaskId
        const task = aTask({ nodeId: step.node as NodeId, state: step.state })
        const attachments = step.networks.map((index) => ({
          networkId: networks[index]?.meta.id as NetworkId,
          addresses: [],
          aliases: [],
        }))
        const moved = { ...task, meta: { ...task.meta, id }, desiredState: step.desiredState, attachments }
        put('task', id, step.gone ? undefined : moved)
        dirty.add(id)
        if (!step.tell) continue
        take(agent, known.changesOf(mirror, dirty))
        dirty.clear()
      }
      take(agent, known.changesOf(mirror, dirty))
      const expected = assignmentsFor(mirror, nodeId)
      assert.deepEqual(keysOf(agent), keysOf(expected))
      // A task's own reports are not told back; what else there is must be the same.
      for (const [id, task] of expected.tasks) assert.deepEqual(wishesOf(agent.tasks.get(id)), wishesOf(task))
    }),
  )
})

const wishesOf = (task: Task | undefined) => task && { desired: task.desiredState, on: task.attachments }

const keysOf = (set: AssignmentSet) =>
  [set.tasks, set.secrets, set.configs, set.networks].map((objects: ReadonlyMap<string, unknown>) =>
    [...objects.keys()].sort(),
  )

function take(agent: AssignmentSet, change: Omit<Assignments, 'full' | 'sequence'> | undefined): void {
  if (change === undefined) return
  for (const kind of ['tasks', 'secrets', 'configs', 'networks'] as const) {
    const objects = agent[kind] as Map<string, unknown>
    for (const id of change[kind].remove) objects.delete(id)
    for (const object of change[kind].put) objects.set(object.meta.id, object)
  }
}
