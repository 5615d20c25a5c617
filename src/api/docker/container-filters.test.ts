import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Engine } from '#engine/engine.ts'
import { containerFilters } from './container-filters.ts'

const none = undefined as unknown as Engine

test('whether a container is a task is told by its label', async () => {
  const tasks = await containerFilters('{"is-task":["true"],"label":["a=b"]}', none)
  assert.equal(tasks.text, '{"label":["a=b","com.docker.swarm.task.id"]}')
  assert.ok(tasks.passes({ Labels: { 'com.docker.swarm.task.id': 't' } }))
  const others = await containerFilters('{"is-task":{"false":true},"name":{"x":true}}', none)
  assert.equal(others.text, '{"name":{"x":true}}')
  assert.ok(!others.passes({ Labels: { 'com.docker.swarm.task.id': 't' } }))
  assert.ok(others.passes({ Labels: null }))
})

test('what is wrong is left to the engine to say', async () => {
  for (const text of ['{', '{"is-task":["maybe"]}', '{"color":["red"]}', ''])
    assert.equal((await containerFilters(text, none)).text, text)
})
