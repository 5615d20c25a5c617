/**
 * Work by key: each key is in the queue at most once, and is never worked on twice at a time.
 * A key marked while it is being worked on runs once more afterwards (the level-triggered rule).
 */
export class KeyedQueue<K> {
  readonly #dirty = new Set<K>()
  readonly #busy = new Set<K>()
  readonly #waiters: (() => void)[] = []

  get size(): number {
    return this.#dirty.size
  }

  mark(key: K): void {
    this.#dirty.add(key)
    this.#waiters.shift()?.()
  }

  /** Takes all keys that are due and not being worked on; the caller hands each back with `done`. */
  takeAll(): K[] {
    const taken: K[] = []
    for (const key of this.#dirty) {
      if (this.#busy.has(key)) continue
      this.#dirty.delete(key)
      this.#busy.add(key)
      taken.push(key)
    }
    return taken
  }

  done(key: K): void {
    this.#busy.delete(key)
    if (this.#dirty.has(key)) this.#waiters.shift()?.()
  }

  /** Resolves when something may be taken, or when the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    const due = () => [...this.#dirty].some((key) => !this.#busy.has(key))
    while (!signal.aborted && !due()) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake)
          resolve()
        }
        this.#waiters.push(wake)
        signal.addEventListener('abort', wake, { once: true })
      })
    }
  }
}
