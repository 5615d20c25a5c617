import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ManagerStatus, Node } from '#model/node.ts'
import { aNode } from '#model/testing/builders.ts'
import type { StoreMember } from '#store/etcd/members.ts'
import type { View } from '#store/mirror/view.ts'
import { LeftOver } from './left-over.ts'

const record = (memberId: string): ManagerStatus => ({
  memberId,
  address: '10.0.0.1:2377',
  peerUrl: 'https://10.0.0.1:2380',
  leader: false,
  reachability: 'reachable',
})
const aMember = (id: string, name: string, learner = false): StoreMember => ({
  id,
  name,
  peerUrl: 'https://10.0.0.1:2380',
  learner,
})
const viewOf = (...nodes: Node[]): View =>
  ({
    get: (_kind: string, id: string) => nodes.find((node) => node.meta.id === id),
    list: () => nodes,
  }) as unknown as View
/** What a leader takes out that looks every five seconds. */
function takenOut(members: readonly StoreMember[], view: View, untilMs: number): string[] {
  const left = new LeftOver()
  let taken: StoreMember[] = []
  for (let now = 1_000_000; now <= 1_000_000 + untilMs; now += 5_000) taken = left.of(members, view, now)
  return taken.map(({ id }) => id)
}

test('a member whose node was removed is taken out at once', () => {
  assert.deepEqual(takenOut([aMember('1', 'gone')], viewOf(aNode()), 0), ['1'])
})

test('a manager that left, and died before its member was taken out, does not count for the quorum for long', () => {
  const node = aNode({ role: 'worker' })
  const members = [aMember('1', node.meta.id)]
  assert.deepEqual(takenOut(members, viewOf(node), 5_000), [])
  assert.deepEqual(takenOut(members, viewOf(node), 15_000), ['1'])
})

test('a join that broke off does not keep others out for ever; one that goes on is let be', () => {
  const members = [aMember('1', '', true)]
  assert.deepEqual(takenOut(members, viewOf(aNode({ role: 'manager' })), 60_000), [])
  assert.deepEqual(takenOut(members, viewOf(aNode({ role: 'manager' })), 120_000), ['1'])
  const recorded = aNode({ role: 'manager', status: { manager: record('1') } })
  assert.deepEqual(takenOut(members, viewOf(recorded), 600_000), [])
})

test("managers' members stay, also that of one whose record is behind", () => {
  const manager = aNode({ role: 'manager', status: { manager: record('1') } })
  const other = aNode({ role: 'manager' })
  const members = [aMember('1', manager.meta.id), aMember('2', other.meta.id)]
  assert.deepEqual(takenOut(members, viewOf(manager, other), 600_000), [])
})
