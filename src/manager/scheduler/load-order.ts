import type { Random } from '#lib/random.ts'

/**
 * Nodes in the order of how many tasks they have, kept so while tasks are placed: a node moves on in constant time, and
 * whoever looks for the least loaded sees only as many nodes as it takes. Nodes are numbers here: with tens of thousands
 * of them, what takes the time is to fetch what is known of each from memory, and a number's neighbours come with it.
 */
export class LoadOrder {
  /** Of each node, by its number, how many tasks it has: kept by whoever places them. */
  readonly #loads: Int32Array
  /** The numbers of those with so many tasks. */
  readonly #levels: number[][] = []
  /** Where a node stands: its level, from 1 on (0: it is none of the order), and where in it. */
  readonly #level: Int32Array
  readonly #index: Int32Array

  constructor(members: Iterable<number>, loads: Int32Array) {
    this.#loads = loads
    this.#level = new Int32Array(loads.length)
    this.#index = new Int32Array(loads.length)
    for (const node of members) this.#append(node)
  }

  /** The node has been given a task, or has lost one. */
  settle(node: number): void {
    const place = this.#level[node] ?? 0
    if (place === 0 || place - 1 === this.#loads[node]) return
    const level = this.#levelOf(place - 1)
    const last = level.pop()
    if (last !== undefined && last !== node) this.#put(level, this.#index[node] ?? 0, last)
    this.#append(node)
  }

  /** From the least loaded on, equals in any order. A node that is settled meanwhile may come again. */
  *leastFirst(random: Random): Generator<number, undefined> {
    for (let at = 0; at < this.#levels.length; at++) {
      const level = this.#levelOf(at)
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

  #append(node: number): void {
    const tasks = this.#loads[node] ?? 0
    this.#level[node] = tasks + 1
    this.#index[node] = this.#levelOf(tasks).push(node) - 1
  }

  #levelOf(tasks: number): number[] {
    while (this.#levels.length <= tasks) this.#levels.push([])
    return this.#levels[tasks] ?? []
  }

  #swap(level: number[], a: number, b: number): void {
    const [first, second] = [level[a], level[b]]
    if (a === b || first === undefined || second === undefined) return
    this.#put(level, a, second)
    this.#put(level, b, first)
  }

  #put(level: number[], index: number, node: number): void {
    level[index] = node
    this.#index[node] = index
  }
}
