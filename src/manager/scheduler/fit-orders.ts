import type { Task } from '#model/task.ts'
import type { FilterTest } from './explain.ts'
import { refusal } from './explain.ts'
import { LoadOrder } from './load-order.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * The nodes that fit tasks of a kind for good, by load. Services whose tasks ask the same of a node (constraints,
 * platforms …) share an order, so that nodes which fit none of them are looked at once and not again by each.
 */
export class FitOrders {
  readonly #nodes: readonly NodeInfo[]
  readonly #orders = new Map<string, { readonly order: LoadOrder; knows: number }>()
  /** Nodes that were given a task, in the order in which they were. */
  readonly #placed: NodeInfo[] = []

  constructor(nodes: readonly NodeInfo[]) {
    this.#nodes = nodes
  }

  /** The order for tasks like this one, up to date. */
  orderFor(like: Task, tests: readonly FilterTest[]): LoadOrder {
    const lasting = tests.filter(({ filter }) => filter.dependsOn !== undefined)
    const key = JSON.stringify(lasting.map(({ filter }) => [filter.name, filter.dependsOn?.(like)]))
    let known = this.#orders.get(key)
    if (known === undefined) {
      const fitting = this.#nodes.filter((node) => refusal(node, lasting) === undefined)
      known = { order: new LoadOrder(fitting), knows: this.#placed.length }
      this.#orders.set(key, known)
    }
    for (; known.knows < this.#placed.length; known.knows++) {
      const node = this.#placed[known.knows]
      if (node !== undefined) known.order.settle(node)
    }
    return known.order
  }

  /** A node was given a task; `order`: the one that it was taken from. */
  placed(node: NodeInfo, order: LoadOrder | undefined): void {
    this.#placed.push(node)
    order?.settle(node)
  }
}
