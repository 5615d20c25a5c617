import { startWait } from '#lib/wait.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { Store } from '#store/contract.ts'

/** A store that has not said by then where it stands has no quorum: what is known is shown, and marked as stale. */
const timeoutMs = 2_000

/**
 * Lets a manager answer with everything that any manager had acknowledged before it was asked: who writes through one
 * and reads through another sees what was written, as if there were one. Requests that come at the same time share a
 * question to the store.
 */
export class CatchUp {
  readonly #store: Pick<Store, 'currentRevision'>
  readonly #mirror: Pick<Mirror, 'reached' | 'current'>
  /** The question that has not been sent yet, which all who come meanwhile share. */
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(store: Pick<Store, 'currentRevision'>, mirror: Pick<Mirror, 'reached' | 'current'>) {
    this.#store = store
    this.#mirror = mirror
  }

  /** Resolves when the mirror is as far as the store was at the call, or when there is no telling. Never rejects. */
  now(): Promise<void> {
    if (!this.#mirror.current) return Promise.resolve()
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      this.#running = this.#ask()
      return this.#running
    })
    return this.#next
  }

  async #ask(): Promise<void> {
    using wait = startWait({ timeoutMs, what: 'the store to say where it stands' })
    try {
      await this.#mirror.reached(await this.#store.currentRevision(wait), wait)
    } catch {
      // Without a quorum reads are answered all the same, marked as stale.
    }
  }
}
