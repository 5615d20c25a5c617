/** So many wrong tokens from one address are let pass; then each further one costs twice the time of the one before. */
const freeGuesses = 5
const firstPauseMs = 2_000
const longestPauseMs = 15 * 60_000
/** An address that has been quiet for so long starts anew. */
const forgottenAfterMs = 30 * 60_000
const mostAddresses = 10_000

interface Guesser {
  wrong: number
  lastAt: number
  /** Nothing is listened to before. */
  until: number
}

/** Slows down whoever tries tokens, by the address that they come from. */
export class Guesses {
  readonly #now: () => number
  readonly #byAddress = new Map<string, Guesser>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** How long this address has to wait before it may try again; 0: it may. */
  waitMs(address: string): number {
    const guesser = this.#byAddress.get(address)
    return guesser === undefined ? 0 : Math.max(0, guesser.until - this.#now())
  }

  wrong(address: string): void {
    const now = this.#now()
    const known = this.#byAddress.get(address)
    const wrong = known === undefined || now - known.lastAt > forgottenAfterMs ? 1 : known.wrong + 1
    const pause =
      wrong < freeGuesses ? 0 : Math.min(longestPauseMs, firstPauseMs * 2 ** (wrong - freeGuesses))
    // Last in the map is the latest, so that the first is the one to forget.
    this.#byAddress.delete(address)
    this.#byAddress.set(address, { wrong, lastAt: now, until: now + pause })
    for (const oldest of this.#byAddress.keys()) {
      if (this.#byAddress.size <= mostAddresses) break
      this.#byAddress.delete(oldest)
    }
  }

  right(address: string): void {
    this.#byAddress.delete(address)
  }
}
