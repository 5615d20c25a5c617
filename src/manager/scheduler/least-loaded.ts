import { Candidates, reluctanceOf } from './candidates.ts'
import type { RankBy } from './candidates.ts'
import type { LoadOrder } from './load-order.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * Candidates for the spread strategy without preferences, found without looking at every node: those that have no task
 * of the service come first, the least loaded before others, and are looked at one by one; what has one, or is better
 * avoided, waits until no other is left. A service of so many tasks costs what it looks at, not what the cluster has.
 */
export class LeastLoaded {
  readonly #fresh: Generator<NodeInfo, undefined>
  readonly #seen = new Set<NodeInfo>()
  readonly #used: Candidates
  readonly #by: RankBy
  readonly #suits: (node: NodeInfo) => boolean

  /** `suits`: the node, which is one of the order, has room now. */
  constructor(order: LoadOrder, suits: (node: NodeInfo) => boolean, by: RankBy) {
    this.#fresh = order.leastFirst(by.random)
    this.#used = new Candidates([], by)
    this.#suits = suits
    this.#by = by
  }

  take(suits: (node: NodeInfo) => boolean, place: (node: NodeInfo) => void): boolean {
    for (;;) {
      const { value: node, done } = this.#fresh.next()
      if (done === true) return this.#used.take(suits, place)
      if (this.#seen.has(node)) continue
      this.#seen.add(node)
      if (!this.#suits(node)) continue
      if (node.tasksOf(this.#by.like.serviceId) > 0 || reluctanceOf(node, this.#by) > 0) {
        this.#used.add(node)
        continue
      }
      place(node)
      this.#used.add(node)
      return true
    }
  }
}
