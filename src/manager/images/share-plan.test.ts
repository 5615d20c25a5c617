import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeId } from '#model/id.ts'
import { SharePlan } from './share-plan.ts'
import type { Step } from './share-plan.ts'

const node = (number: number) => `node${String(number)}` as NodeId
const pulls = (waiter: number): Step => ({ type: 'tell', waiter, answer: { type: 'pull' } })
const fetches = (waiter: number, from: number): Step => ({
  type: 'tell',
  waiter,
  answer: { type: 'fetch', from: node(from) },
})

test('of ten nodes one downloads, and the others have it from those who have it, two at a time from each', () => {
  const plan = new SharePlan([])
  const under: Step[] = []
  for (let id = 1; id <= 10; id++) under.push(...plan.want(id, node(id)))
  const all: Step[] = [...under]
  for (let step = under.shift(); step !== undefined; step = under.shift()) {
    assert.equal(step.type, 'tell')
    const next = plan.have(step.type === 'tell' ? step.waiter : 0)
    all.push(...next)
    under.push(...next)
  }
  assert.equal(all.length, 10)
  assert.deepEqual(
    all.filter((step) => step.type === 'tell' && step.answer.type === 'pull'),
    [pulls(1)],
  )
  assert.ok(plan.isIdle)
})

test('who has it gives it to two at a time', () => {
  const plan = new SharePlan([node(9)])
  assert.deepEqual(plan.want(1, node(1)), [fetches(1, 9)])
  assert.deepEqual(plan.want(2, node(2)), [fetches(2, 9)])
  assert.deepEqual(plan.want(3, node(3)), [])
  assert.deepEqual(plan.have(1), [fetches(3, 9)])
})

test('the next one downloads when the first is gone', () => {
  const plan = new SharePlan([])
  assert.deepEqual(plan.want(1, node(1)), [pulls(1)])
  assert.deepEqual(plan.want(2, node(2)), [])
  assert.deepEqual(plan.gone(1), [pulls(2)])
})

test('a node that cannot give it is not asked again', () => {
  const plan = new SharePlan([node(9)])
  plan.want(1, node(1))
  assert.deepEqual(plan.failed(1), [pulls(1)])
})

test('what no registry has is searched for, and had from where it is', () => {
  const plan = new SharePlan([])
  plan.want(1, node(1))
  plan.want(2, node(2))
  assert.deepEqual(plan.failed(1), [{ type: 'search' }])
  assert.deepEqual(plan.found([node(9)]), [fetches(1, 9), fetches(2, 9)])
})

test('what is nowhere is given up by who has tried; others may know more of the registry', () => {
  const plan = new SharePlan([])
  plan.want(1, node(1))
  plan.want(2, node(2))
  plan.failed(1)
  assert.deepEqual(plan.found([]), [{ type: 'give-up', waiter: 1 }, pulls(2)])
  assert.deepEqual(plan.failed(2), [{ type: 'give-up', waiter: 2 }])
})

test('the nodes are not asked twice within a short time', () => {
  const plan = new SharePlan([], true)
  plan.want(1, node(1))
  assert.deepEqual(plan.failed(1), [{ type: 'give-up', waiter: 1 }])
})

test('who has waited for too long helps itself', () => {
  const plan = new SharePlan([])
  plan.want(1, node(1))
  plan.want(2, node(2))
  assert.deepEqual(plan.impatient(2), [pulls(2)])
  assert.deepEqual(plan.impatient(2), [])
})
