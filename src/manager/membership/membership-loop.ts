import { isMureError } from '#lib/errors.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { NodeId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { Leadership } from '#store/contract.ts'
import { transactOn } from '../transact-on.ts'
import { LeftOver } from './left-over.ts'
import { promote } from './members.ts'
import type { MemberParts } from './members.ts'
import { tendRootRotation } from './root-rotation.ts'

const lookEveryMs = 500

export interface MembershipLoopParts extends MemberParts {
  readonly managerId: NodeId
  readonly leadership: Leadership
}

/**
 * The leader's care for the store's members: learners are made voters, members of demoted and removed nodes are
 * taken out. A leader that is itself demoted gives the leadership up: its successor takes it out.
 */
export async function runMembershipLoop(parts: MembershipLoopParts): Promise<void> {
  const { signal } = parts.leadership
  const left = new LeftOver()
  let round = 0
  while (!signal.aborted) {
    try {
      using wait = startWait({ timeoutMs: 10_000, signal, what: 'the members of the store' })
      round += 1
      // Now and then also without a sign, for members whose node is gone.
      if (round % 10 === 0 || hasWork(parts)) await tend(parts, left, wait)
      await tendRootRotation(parts, wait)
    } catch (error) {
      if (signal.aborted || isMureError(error, 'precondition')) return
      parts.logger.warn('the members of the store could not be tended', { error })
    }
    await sleep(lookEveryMs, signal).catch(() => undefined)
  }
}

function hasWork(parts: MembershipLoopParts): boolean {
  for (const node of parts.mirror.list('node')) {
    if (node.spec.role !== node.status.role) return true
    if (node.status.role === 'worker' && node.status.manager !== undefined) return true
  }
  return false
}

async function tend(parts: MembershipLoopParts, left: LeftOver, wait: Wait): Promise<void> {
  const own = parts.mirror.get('node', parts.managerId)
  if (own?.spec.role === 'worker') {
    parts.logger.info('this leader is demoted and hands over')
    await parts.leadership[Symbol.asyncDispose]()
    return
  }
  const members = await parts.members.list(wait)
  // Who has become a member by now is to be known as one.
  await parts.mirror.reached(await parts.store.currentRevision(wait), wait)
  const wanted = new Map<string, Node>()
  for (const node of parts.mirror.list('node')) {
    const memberId = node.status.manager?.memberId
    if (memberId === undefined) continue
    if (node.spec.role === 'worker') await demote(parts, node, memberId, wait)
    else wanted.set(memberId, node)
  }
  for (const member of members) {
    const node = wanted.get(member.id)
    if (node !== undefined && member.learner) await promote(parts, member.id, node.meta.id, wait)
    else if (node !== undefined && node.status.role === 'worker')
      await promote(parts, member.id, node.meta.id, wait)
  }
  for (const member of left.of(members, parts.mirror, parts.clock.monotonicMs())) {
    parts.logger.info('a member that is nobody’s is taken out', { member: member.id, name: member.name })
    await parts.members.remove(member.id, wait)
  }
}

async function demote(parts: MembershipLoopParts, node: Node, memberId: string, wait: Wait): Promise<void> {
  parts.logger.info('a manager is demoted', { node: node.meta.id, member: memberId })
  await parts.members.remove(memberId, wait)
  await transactOn(
    parts,
    wait,
    () => {
      const present = parts.mirror.get('node', node.meta.id)
      if (present === undefined) return []
      const { manager: _, ...status } = present.status
      return [update({ ...present, status: { ...status, role: 'worker' } })]
    },
    parts.leadership.fence,
  )
}
