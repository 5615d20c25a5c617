import type { GenericResource } from '#model/resources.ts'

/**
 * The generic resources of a node that nobody holds: counts by kind, and named pieces by kind. What waits for its
 * predecessor to stop holds the same as that one, so that a piece may have two holders and a count be below zero.
 */
export class FreeGeneric {
  readonly #counts = new Map<string, number>()
  /** How many hold each of the node's pieces. */
  readonly #holders = new Map<string, Map<string, number>>()

  constructor(all: readonly GenericResource[]) {
    for (const resource of all)
      if ('count' in resource) this.#count(resource.kind, resource.count)
      else this.#piecesOf(resource.kind).set(resource.value, 0)
  }

  give(resources: readonly GenericResource[]): void {
    this.#move(resources, 1)
  }

  take(resources: readonly GenericResource[]): void {
    this.#move(resources, -1)
  }

  #move(resources: readonly GenericResource[], sign: 1 | -1): void {
    for (const resource of resources)
      if ('count' in resource) this.#count(resource.kind, sign * resource.count)
      else {
        const pieces = this.#holders.get(resource.kind)
        const holders = pieces?.get(resource.value)
        // A piece that the node does not have any more is not given back to it.
        if (holders !== undefined) pieces?.set(resource.value, Math.max(0, holders - sign))
      }
  }

  #count(kind: string, difference: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + difference)
  }

  #piecesOf(kind: string): Map<string, number> {
    let pieces = this.#holders.get(kind)
    if (pieces === undefined) this.#holders.set(kind, (pieces = new Map<string, number>()))
    return pieces
  }

  #freeOf(kind: string): string[] {
    return [...(this.#holders.get(kind) ?? [])].filter(([, holders]) => holders === 0).map(([value]) => value)
  }

  /** What would be given for a reservation: so many of a count, or so many named pieces; undefined: not enough. */
  choose(reserved: readonly GenericResource[]): GenericResource[] | undefined {
    const chosen: GenericResource[] = []
    for (const wanted of reserved) {
      const names = this.#freeOf(wanted.kind)
      if (!('count' in wanted)) {
        if (!names.includes(wanted.value)) return undefined
        chosen.push(wanted)
      } else if ((this.#counts.get(wanted.kind) ?? 0) >= wanted.count) chosen.push(wanted)
      else if (names.length >= wanted.count)
        for (const value of names.slice(0, wanted.count)) chosen.push({ kind: wanted.kind, value })
      else return undefined
    }
    return chosen
  }
}
