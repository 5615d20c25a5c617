import type { StoredObject } from '#model/objects.ts'

interface Written {
  readonly value: Buffer
  readonly object: StoredObject
}

/**
 * What this manager has written and not heard of yet. The watch tells it of its own writes as of all others; since
 * every value is sealed with a nonce of its own, one that equals ours to the byte is ours, and need not be opened and
 * parsed: half of what a write costs. It is a shortcut alone: whatever is not found here is decoded.
 */
export class OwnWrites {
  readonly #byKey = new Map<string, Written>()

  /** Objects must not change any more. */
  sent(writes: ReadonlyMap<string, Written>): void {
    for (const [key, written] of writes) this.#byKey.set(key, written)
  }

  /** They did not take effect, or nobody knows. */
  failed(writes: ReadonlyMap<string, Written>): void {
    for (const [key, written] of writes) if (this.#byKey.get(key) === written) this.#byKey.delete(key)
  }

  /** History was lost: some of them will not be heard of. */
  clear(): void {
    this.#byKey.clear()
  }

  /** The object that a key now has, if it is our own; each is asked for once. */
  take(key: string, value: Buffer, version: number): StoredObject | undefined {
    const written = this.#byKey.get(key)
    if (written === undefined) return undefined
    this.#byKey.delete(key)
    if (!written.value.equals(value)) return undefined
    return { ...written.object, meta: { ...written.object.meta, version } } as StoredObject
  }
}
