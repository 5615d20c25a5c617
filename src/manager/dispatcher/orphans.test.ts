import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import type { StoredObject } from '#model/objects.ts'
import { aNode, aTask, testEpoch } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { GoneNodes } from './orphans.ts'

function viewOf(...objects: StoredObject[]): StoreMirror {
  const mirror = new StoreMirror(silentLogger)
  mirror.replace(objects, 1)
  return mirror
}

test("a removed node's tasks are orphaned, and the places of its plain containers given back", () => {
  const node = aNode()
  const nodeId = node.meta.id
  const task = aTask({ nodeId, state: 'running' })
  const place = aTask({ nodeId, state: 'running', spec: { containers: [], runtime: 'attachment' } })
  const view = viewOf(task, place)
  const changes = new GoneNodes(view).orphans(view, testEpoch)
  assert.deepEqual(
    changes.map((change) => [change.op, change.op === 'remove' ? change.id : change.object.meta.id]),
    [
      ['update', task.meta.id],
      ['remove', place.meta.id],
    ],
  )
})

test('a node that is down for long may come back with its plain containers, and their addresses stay theirs', () => {
  const down = { state: 'down', downSince: testEpoch } as const
  const node = aNode({ status: down })
  const nodeId = node.meta.id
  const task = aTask({ nodeId, state: 'running' })
  const place = aTask({ nodeId, state: 'running', spec: { containers: [], runtime: 'attachment' } })
  const view = viewOf(node, task, place)
  const later = instant(testEpoch + 25 * 3_600_000)
  const changes = new GoneNodes(view).orphans(view, later)
  assert.equal(changes.length, 1)
  assert.equal(changes[0]?.op === 'update' && changes[0].object.meta.id, task.meta.id)
})
