import type { GenericResource } from '#model/resources.ts'

/** The generic resources of a node that nobody holds: counts by kind, and named pieces by kind. */
export class FreeGeneric {
  readonly #counts = new Map<string, number>()
  readonly #names = new Map<string, Set<string>>()

  constructor(all: readonly GenericResource[]) {
    this.give(all)
  }

  give(resources: readonly GenericResource[]): void {
    for (const resource of resources)
      if ('count' in resource)
        this.#counts.set(resource.kind, (this.#counts.get(resource.kind) ?? 0) + resource.count)
      else {
        const names = this.#names.get(resource.kind)
        if (names === undefined) this.#names.set(resource.kind, new Set([resource.value]))
        else names.add(resource.value)
      }
  }

  take(resources: readonly GenericResource[]): void {
    for (const resource of resources)
      if ('count' in resource)
        this.#counts.set(resource.kind, (this.#counts.get(resource.kind) ?? 0) - resource.count)
      else this.#names.get(resource.kind)?.delete(resource.value)
  }

  /** What would be given for a reservation: so many of a count, or so many named pieces; undefined: not enough. */
  choose(reserved: readonly GenericResource[]): GenericResource[] | undefined {
    const chosen: GenericResource[] = []
    for (const wanted of reserved) {
      const names = this.#names.get(wanted.kind)
      if (!('count' in wanted)) {
        if (names?.has(wanted.value) !== true) return undefined
        chosen.push(wanted)
      } else if ((this.#counts.get(wanted.kind) ?? 0) >= wanted.count) chosen.push(wanted)
      else if ((names?.size ?? 0) >= wanted.count)
        for (const value of [...(names ?? [])].slice(0, wanted.count))
          chosen.push({ kind: wanted.kind, value })
      else return undefined
    }
    return chosen
  }
}
