/** Objects of one kind by id and name. */
export class Table<T extends { readonly meta: { readonly id: string; readonly name: string } }> {
  readonly #byId = new Map<string, T>()
  readonly #byName = new Map<string, T>()

  get size(): number {
    return this.#byId.size
  }

  get(id: string): T | undefined {
    return this.#byId.get(id)
  }

  values(): Iterable<T> {
    return this.#byId.values()
  }

  byName(name: string): T | undefined {
    return this.#byName.get(name)
  }

  /** A full id is one look-up; a shorter one is a person's, and a scan is quick enough for those. */
  byIdPrefix(prefix: string): T[] {
    const exact = this.#byId.get(prefix)
    if (exact !== undefined) return [exact]
    const found: T[] = []
    for (const [id, object] of this.#byId) if (id.startsWith(prefix)) found.push(object)
    return found
  }

  put(object: T): T | undefined {
    const before = this.#byId.get(object.meta.id)
    if (before !== undefined && before.meta.name !== object.meta.name) this.#forgetName(before)
    this.#byId.set(object.meta.id, object)
    if (object.meta.name !== '') this.#byName.set(object.meta.name, object)
    return before
  }

  remove(id: string): T | undefined {
    const before = this.#byId.get(id)
    if (before === undefined) return undefined
    this.#byId.delete(id)
    this.#forgetName(before)
    return before
  }

  #forgetName(object: T): void {
    if (this.#byName.get(object.meta.name)?.meta.id === object.meta.id) this.#byName.delete(object.meta.name)
  }
}
