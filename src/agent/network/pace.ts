import { sleep } from '#lib/wait.ts'

/** What takes less is repeated as often as there is reason to. */
const shortMs = 150
/** For each millisecond of work so many of rest. */
const restPerWork = 3
const mostRestMs = 2_000

/**
 * On a host of many containers each change of a network is written to each of them. While hundreds of tasks come up,
 * what is not urgent rests in proportion to what the last writing took, so that the next one does for all that came
 * meanwhile.
 */
export class Pace {
  readonly #now: () => number
  #endedAt = -Infinity
  #tookMs = 0

  /** @param now in milliseconds, monotonic */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  async measured<T>(work: () => Promise<T>): Promise<T> {
    const begunAt = this.#now()
    try {
      return await work()
    } finally {
      this.#endedAt = this.#now()
      this.#tookMs = this.#endedAt - begunAt
    }
  }

  /** How long what is not urgent has still to wait. */
  get restMs(): number {
    if (this.#tookMs < shortMs) return 0
    const restMs = Math.min(this.#tookMs * restPerWork, mostRestMs)
    return Math.max(0, this.#endedAt + restMs - this.#now())
  }

  /** Resolves also when the signal aborts. */
  async rest(signal: AbortSignal): Promise<void> {
    while (this.restMs > 0 && !signal.aborted) await sleep(this.restMs, signal).catch(() => undefined)
  }
}
