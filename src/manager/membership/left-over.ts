import type { StoreMember } from '#store/etcd/members.ts'
import type { View } from '#store/mirror/view.ts'

/**
 * Longer than a join may take. The store takes one new member at a time: one that was let in and never came, because
 * its host or the manager that it asked died in between, would keep all others out for good.
 */
const joinPatienceMs = 90_000
/** A manager that leaves takes its member out by itself, and with less ado than others could. */
const leavePatienceMs = 10_000

/**
 * Members that count for the quorum, or keep others out, and are nobody's: of nodes that were removed, of managers that
 * left and died before their member was taken out, of joins that broke off. The view must be newer than the list of
 * members, since a member has its name only after its node's record says that it is one.
 */
export class LeftOver {
  /** Since when nobody's record names them, by id. A new leader waits anew, which costs no more than time. */
  #nobodysSince = new Map<string, number>()

  of(members: readonly StoreMember[], view: View, nowMs: number): StoreMember[] {
    const recorded = new Set<string>()
    for (const { status } of view.list('node'))
      if (status.manager !== undefined) recorded.add(status.manager.memberId)
    const nobodys = members.filter(({ id }) => !recorded.has(id))
    const before = this.#nobodysSince
    const since = new Map(nobodys.map(({ id }) => [id, before.get(id) ?? nowMs]))
    this.#nobodysSince = since
    return nobodys.filter((member) => nowMs - (since.get(member.id) ?? nowMs) >= patienceMs(member, view))
  }
}

function patienceMs({ name, learner }: StoreMember, view: View): number {
  if (name === '') return learner ? joinPatienceMs : Infinity
  const owner = view.get('node', name)
  if (owner === undefined) return 0
  return owner.spec.role === 'worker' ? leavePatienceMs : Infinity
}
