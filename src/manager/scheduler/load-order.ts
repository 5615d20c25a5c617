import type { Random } from '#lib/random.ts'
import type { NodeInfo } from './node-info.ts'

/**
 * Nodes in the order of how many tasks they have, kept so while tasks are placed: a node moves on in constant time, and
 * whoever looks for the least loaded sees only as many nodes as it takes.
 */
export class LoadOrder {
  /** By the number of tasks. */
  readonly #levels: NodeInfo[][] = []
  readonly #places = new Map<NodeInfo, { level: number; index: number }>()

  constructor(nodes: Iterable<NodeInfo>) {
    for (const node of nodes) {
      const place = { level: 0, index: 0 }
      this.#places.set(node, place)
      this.#append(node, place)
    }
  }

  /** The node has been given a task, or has lost one. */
  settle(node: NodeInfo): void {
    const place = this.#places.get(node)
    if (place === undefined || place.level === node.tasks) return
    const level = this.#level(place.level)
    const last = level.pop()
    if (last !== undefined && last !== node) this.#put(level, place.index, last)
    this.#append(node, place)
  }

  /** From the least loaded on, equals in any order. A node that is settled meanwhile may come again. */
  *leastFirst(random: Random): Generator<NodeInfo, undefined> {
    for (let at = 0; at < this.#levels.length; at++) {
      const level = this.#level(at)
      for (let index = 0; index < level.length;) {
        // A shuffle that goes only as far as it is asked to.
        this.#swap(level, index, index + random.below(level.length - index))
        const node = level[index]
        if (node === undefined) break
        yield node
        // Where it has gone, another is in its place.
        if (level[index] === node) index += 1
      }
    }
  }

  #append(node: NodeInfo, place: { level: number; index: number }): void {
    const level = this.#level(node.tasks)
    place.level = node.tasks
    place.index = level.push(node) - 1
  }

  #level(tasks: number): NodeInfo[] {
    while (this.#levels.length <= tasks) this.#levels.push([])
    return this.#levels[tasks] ?? []
  }

  #swap(level: NodeInfo[], a: number, b: number): void {
    const [first, second] = [level[a], level[b]]
    if (a === b || first === undefined || second === undefined) return
    this.#put(level, a, second)
    this.#put(level, b, first)
  }

  #put(level: NodeInfo[], index: number, node: NodeInfo): void {
    level[index] = node
    const place = this.#places.get(node)
    if (place !== undefined) place.index = index
  }
}
