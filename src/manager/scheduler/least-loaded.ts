import { Candidates, reluctanceOf } from './candidates.ts'
import type { RankBy } from './candidates.ts'
import type { FitOrders } from './fit-orders.ts'
import type { LoadOrder } from './load-order.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * Candidates for the spread strategy without preferences, found without looking at every node: those that have no task
 * of the service come first, the least loaded before others, and are looked at one by one; what has one, or is better
 * avoided, waits until no other is left. A service of so many tasks costs what it looks at, not what the cluster has.
 */
export class LeastLoaded {
  readonly #orders: FitOrders
  readonly #round: number
  readonly #fresh: Generator<number, undefined>
  /** Those that wait. They are put in order once they are needed, which may be never. */
  readonly #waiting: NodeInfo[] = []
  #used: Candidates | undefined
  readonly #by: RankBy
  readonly #suits: (node: NodeInfo) => boolean

  /** `order`: one of the orders; `suits`: a node of it has room now. */
  constructor(orders: FitOrders, order: LoadOrder, suits: (node: NodeInfo) => boolean, by: RankBy) {
    this.#orders = orders
    this.#round = orders.nextRound()
    this.#fresh = order.leastFirst(by.random)
    this.#suits = suits
    this.#by = by
  }

  take(suits: (node: NodeInfo) => boolean, place: (node: NodeInfo) => void): boolean {
    const { seen, nodes } = this.#orders
    for (;;) {
      const { value: number, done } = this.#fresh.next()
      if (done === true) {
        this.#used ??= new Candidates(this.#waiting, this.#by)
        return this.#used.take(suits, place)
      }
      if (seen[number] === this.#round) continue
      seen[number] = this.#round
      const node = nodes[number]
      if (node === undefined || !this.#suits(node)) continue
      this.#waiting.push(node)
      if (node.tasksOf(this.#by.like.serviceId) > 0 || reluctanceOf(node, this.#by) > 0) continue
      place(node)
      return true
    }
  }
}
