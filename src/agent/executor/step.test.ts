import assert from 'node:assert/strict'
import test from 'node:test'
import { isTerminal, taskStates } from '#model/task-state.ts'
import { nextStep } from './step.ts'
import type { ContainerPhase, Situation } from './step.ts'

const phases: readonly ContainerPhase[] = ['absent', 'created', 'running', 'exited', 'removing']

const action = (situation: Partial<Situation>) =>
  nextStep({
    desired: 'running',
    isGone: false,
    reported: 'assigned',
    container: 'absent',
    now: 1_000,
    startAt: 0,
    maybeBackUntil: 0,
    mayStopFrom: 0,
    ...situation,
  })

test('a new task is prepared, started, watched and concluded', () => {
  assert.deepEqual(action({}), { action: 'prepare' })
  assert.deepEqual(action({ reported: 'ready', container: 'created' }), { action: 'start' })
  assert.deepEqual(action({ reported: 'starting', container: 'running' }), { action: 'run' })
  assert.deepEqual(action({ reported: 'running', container: 'exited' }), { action: 'conclude' })
})

test('a task that waits for its turn is made and not started', () => {
  assert.deepEqual(action({ desired: 'ready', container: 'created' }), { action: 'hold' })
  assert.deepEqual(action({ container: 'created', startAt: 1_500 }), { action: 'hold', wakeAt: 1_500 })
})

test('with a health check a task runs once it is healthy, and is stopped when it is not', () => {
  assert.deepEqual(action({ container: 'running', health: 'starting' }), { action: 'await-health' })
  assert.deepEqual(action({ container: 'running', health: 'healthy' }), { action: 'run' })
  assert.deepEqual(action({ container: 'running', health: 'unhealthy' }), { action: 'stop' })
})

test('a container that vanishes before the start is made again, and after it is lost', () => {
  assert.deepEqual(action({ reported: 'ready' }), { action: 'prepare' })
  assert.deepEqual(action({ reported: 'starting' }), { action: 'lose' })
  assert.deepEqual(action({ reported: 'running' }), { action: 'lose' })
})

test('an end by hand is believed once the container had the time to come back', () => {
  const stopped = { reported: 'running', container: 'exited', maybeBackUntil: 3_000 } as const
  assert.deepEqual(action(stopped), { action: 'await-return', wakeAt: 3_000 })
  assert.deepEqual(action({ ...stopped, now: 3_000 }), { action: 'conclude' })
})

test('an ended task never runs again', () => {
  for (const reported of taskStates.filter(isTerminal))
    for (const container of phases)
      assert.deepEqual(action({ reported, container }), {
        action: container === 'running' ? 'stop' : 'rest',
      })
})

test('what is to shut down stops, says so, and keeps its container', () => {
  const shutdown = { desired: 'shutdown', reported: 'running' } as const
  assert.deepEqual(action({ ...shutdown, container: 'running' }), { action: 'stop' })
  assert.deepEqual(action({ ...shutdown, container: 'exited' }), { action: 'end' })
  assert.deepEqual(action({ ...shutdown, container: 'absent' }), { action: 'end' })
  assert.deepEqual(action({ ...shutdown, reported: 'shutdown', container: 'exited' }), { action: 'rest' })
})

test('what is to be removed ends first, then its container goes', () => {
  const remove = { desired: 'remove', container: 'exited' } as const
  assert.deepEqual(action({ ...remove, reported: 'running' }), { action: 'end' })
  assert.deepEqual(action({ ...remove, reported: 'shutdown' }), { action: 'delete' })
  assert.deepEqual(action({ ...remove, reported: 'shutdown', container: 'absent' }), { action: 'rest' })
})

test('of a task that is gone nothing stays', () => {
  const gone = { isGone: true, reported: 'running' } as const
  assert.deepEqual(action({ ...gone, container: 'running' }), { action: 'stop' })
  assert.deepEqual(action({ ...gone, container: 'exited' }), { action: 'delete' })
  assert.deepEqual(action({ ...gone, container: 'created' }), { action: 'delete' })
  assert.deepEqual(action({ ...gone, container: 'absent' }), { action: 'forget' })
})

test('nothing is done with a container that the engine is removing', () => {
  for (const desired of taskStates)
    for (const isGone of [true, false])
      assert.deepEqual(action({ desired, isGone, container: 'removing' }), { action: 'rest' })
})
