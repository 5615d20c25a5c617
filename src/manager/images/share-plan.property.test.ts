import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { NodeId } from '#model/id.ts'
import { SharePlan } from './share-plan.ts'
import type { Step, WaiterId } from './share-plan.ts'

const node = (number: number) => `node${String(number)}` as NodeId

/** What comes of it, one after the other; the number chooses what it happens to. */
const outcome = fc.record({
  kind: fc.constantFrom('have', 'have', 'failed', 'gone', 'want'),
  pick: fc.nat(),
})

/** Plays a plan with the outcomes given, and well after that, until nothing is under way. */
function play(
  count: number,
  holders: readonly number[],
  outcomes: readonly { kind: string; pick: number }[],
) {
  const plan = new SharePlan(holders.map(node))
  const busy = new Map<WaiterId, 'pull' | NodeId>()
  const waiting = new Set<WaiterId>()
  let searches = 0
  let isSearching = false
  let next = 0
  const take = (steps: readonly Step[]) => {
    for (const step of steps) {
      if (step.type === 'search') {
        searches += 1
        isSearching = true
      } else if (step.type === 'give-up') {
        waiting.delete(step.waiter)
        busy.delete(step.waiter)
      } else {
        assert.ok(waiting.has(step.waiter), 'only who waits is told anything')
        assert.ok(!busy.has(step.waiter), 'nobody is told twice')
        busy.set(step.waiter, step.answer.type === 'pull' ? 'pull' : step.answer.from)
      }
    }
    const given = [...busy.values()].filter((what) => what !== 'pull')
    for (const from of new Set(given))
      assert.ok(given.filter((other) => other === from).length <= 2, 'no node gives to more than two')
    if (searches === 0)
      assert.ok([...busy.values()].filter((what) => what === 'pull').length <= 1, 'one downloads')
    assert.ok(
      waiting.size === 0 || busy.size > 0 || isSearching,
      'while somebody waits, something is under way',
    )
  }
  const want = () => {
    const id = next++
    waiting.add(id)
    take(plan.want(id, node(100 + id)))
  }
  const end = (kind: string, pick: number) => {
    const ids = [...busy.keys()]
    const id = ids[pick % ids.length]
    if (id === undefined) return
    busy.delete(id)
    if (kind === 'failed') take(plan.failed(id))
    else {
      waiting.delete(id)
      take(kind === 'have' ? plan.have(id) : plan.gone(id))
    }
  }
  for (let i = 0; i < count; i++) want()
  for (const { kind, pick } of outcomes) {
    if (kind === 'want') want()
    else if (isSearching && pick % 3 === 0) {
      isSearching = false
      take(plan.found(pick % 2 === 0 ? [node(50)] : []))
    } else end(kind, pick)
  }
  for (let rounds = 0; waiting.size > 0; rounds++) {
    assert.ok(rounds < 1_000, 'it comes to an end')
    if (isSearching) {
      isSearching = false
      take(plan.found([]))
    } else end('have', rounds)
  }
  assert.ok(plan.isIdle)
}

test('somebody is always at work while others wait, and in the end nobody does', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 12 }),
      fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
      fc.array(outcome, { maxLength: 60 }),
      play,
    ),
    { numRuns: 300 },
  )
})
