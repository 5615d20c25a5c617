import type { Task } from '#model/task.ts'
import type { FilterTest } from './explain.ts'
import { LoadOrder } from './load-order.ts'
import type { NodeInfo } from './node-info.ts'

/** How many orders are kept: each takes eight bytes for every node, and is made again where it was let go. */
const mostOrders = 64

/**
 * The nodes that fit tasks of a kind for good, by load. Services whose tasks ask the same of a node (constraints,
 * platforms …) share an order, so that nodes which fit none of them are looked at once and not again by each.
 */
export class FitOrders {
  readonly nodes: readonly NodeInfo[]
  /** For whoever goes through an order: the last round in which a node was looked at. */
  readonly seen: Uint32Array
  #round = 0
  readonly #loads: Int32Array
  readonly #orders = new Map<string, { readonly order: LoadOrder; knows: number }>()
  /** Those that pass the tests so far, by what these depend on. */
  readonly #fitting = new Map<string, readonly number[]>()
  /** Nodes that were given a task, in the order in which they were. */
  readonly #placed: number[] = []

  constructor(nodes: readonly NodeInfo[]) {
    this.nodes = nodes
    this.seen = new Uint32Array(nodes.length)
    this.#loads = new Int32Array(nodes.length)
    for (const [number, node] of nodes.entries()) {
      node.number = number
      this.#loads[number] = node.tasks
    }
  }

  nextRound(): number {
    return ++this.#round
  }

  /** The order for tasks like this one, up to date. */
  orderFor(like: Task, tests: readonly FilterTest[]): LoadOrder {
    const lasting = tests
      .filter(({ filter }) => filter.dependsOn !== undefined)
      .map(({ filter, passes }) => ({ passes, key: JSON.stringify([filter.name, filter.dependsOn?.(like)]) }))
      // What all services ask alike comes first, so that it is asked once.
      .sort((a, b) => a.key.length - b.key.length)
    const key = lasting.map((test) => test.key).join()
    let known = this.#orders.get(key)
    if (known === undefined) {
      known = { order: new LoadOrder(this.#fit(lasting), this.#loads), knows: this.#placed.length }
      const [oldest] = this.#orders.keys()
      if (oldest !== undefined && this.#orders.size >= mostOrders) this.#orders.delete(oldest)
      this.#orders.set(key, known)
    }
    for (; known.knows < this.#placed.length; known.knows++)
      known.order.settle(this.#placed[known.knows] ?? 0)
    return known.order
  }

  /** A node was given a task; `order`: the one that it was taken from. */
  placed(node: NodeInfo, order: LoadOrder | undefined): void {
    this.#loads[node.number] = node.tasks
    this.#placed.push(node.number)
    order?.settle(node.number)
  }

  #fit(tests: readonly LastingTest[]): readonly number[] {
    const last = tests.at(-1)
    if (last === undefined) return this.nodes.map(({ number }) => number)
    const before = tests.slice(0, -1)
    const key = before.map((test) => test.key).join()
    let passed = this.#fitting.get(key)
    if (passed === undefined) {
      passed = this.#fit(before)
      this.#fitting.set(key, passed)
    }
    return passed.filter((number) => {
      const node = this.nodes[number]
      return node !== undefined && last.passes(node)
    })
  }
}

/** A test whose answer no placement changes, and all that it depends on. */
interface LastingTest {
  readonly passes: FilterTest['passes']
  readonly key: string
}
