import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectEvent } from '#model/change.ts'
import { aNode, aService, aTask } from '#model/testing/builders.ts'
import { eventFromChange } from './from-changes.ts'

const change = (before: unknown, after: unknown, kind = 'service') =>
  ({ kind, revision: 1, before, after }) as ObjectEvent

test('creations, removals and changes of a spec are told, with what differs', () => {
  const web = aService({ name: 'web', replicas: 1 })
  const scaled = {
    ...web,
    meta: { ...web.meta, generation: 2 },
    spec: { ...web.spec, mode: { type: 'replicated' as const, replicas: 3 } },
  }
  assert.equal(eventFromChange(change(undefined, web), 1_500)?.Action, 'create')
  assert.equal(eventFromChange(change(web, undefined), 1_500)?.Action, 'remove')
  assert.deepEqual(eventFromChange(change(web, scaled), 1_500), {
    Type: 'service',
    Action: 'update',
    Actor: { ID: web.meta.id, Attributes: { name: 'web', 'replicas.new': '3', 'replicas.old': '1' } },
    scope: 'swarm',
    time: 1,
    timeNano: 1_500_000_000n,
  })
})

test('a node that goes down is told; a mere sign of life and a task are not', () => {
  const ready = aNode({ status: { state: 'ready' } })
  const down = aNode({ status: { state: 'down' } })
  const told = eventFromChange(change(ready, { ...down, meta: ready.meta }, 'node'), 0)
  assert.deepEqual(
    [told?.Actor.Attributes['state.new'], told?.Actor.Attributes['state.old']],
    ['down', 'ready'],
  )
  assert.equal(eventFromChange(change(ready, { ...ready }, 'node'), 0), undefined)
  assert.equal(eventFromChange(change(undefined, aTask(), 'task'), 0), undefined)
})

test('a network is told of again when it has been allocated, and a forgotten update is not', () => {
  const made = { kind: 'network', meta: aService({ name: 'net' }).meta }
  const before = { ...made, status: { ranges: [] } }
  const after = { ...made, status: { ranges: [], vxlanId: 4097 } }
  assert.equal(eventFromChange(change(before, after, 'network'), 0)?.Action, 'update')
  assert.equal(eventFromChange(change(after, { ...after }, 'network'), 0), undefined)
  const web = aService({ name: 'web', replicas: 1 })
  const updated = { ...web, status: { ...web.status, update: { state: 'completed' } } }
  const next = { ...web, meta: { ...web.meta, generation: 2 } }
  assert.deepEqual(eventFromChange(change(updated, next), 0)?.Actor.Attributes, { name: 'web' })
})
