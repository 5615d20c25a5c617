import type { Slot } from './slots.ts'

/**
 * The slots in the order in which they are kept when some have to go, in Swarm's order: of each node the first task
 * before the second, and so on, so that what is left is balanced; among those, what runs, and lower numbers (first
 * members of stateful services). A slot without a node, or between two tasks, goes first.
 */
export function byWorthKeeping(slots: readonly Slot[]): Slot[] {
  const running = (slot: Slot) => Number(slot.wanted.some((task) => task.status.state === 'running'))
  const sorted = [...slots].sort((a, b) => running(b) - running(a) || a.number - b.number)
  const onNode = new Map<string, number>()
  const nth = new Map<Slot, number>()
  for (const slot of sorted) {
    const [only, second] = slot.wanted
    if (only === undefined || second !== undefined || only.nodeId === '') {
      nth.set(slot, Infinity)
      continue
    }
    const count = (onNode.get(only.nodeId) ?? 0) + 1
    onNode.set(only.nodeId, count)
    nth.set(slot, count)
  }
  const rank = (slot: Slot) => nth.get(slot) ?? Infinity
  return sorted.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}
