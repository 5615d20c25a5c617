import { MureError } from '#lib/errors.ts'

export interface LivenessOptions {
  /** Between two questions to an engine that long calls wait for. Default 10 s. */
  readonly everyMs?: number
  /** Default 20 s: a ping needs no disk and no lock; even a very busy host answers by then. */
  readonly timeoutMs?: number
}

export interface Watched extends Disposable {
  /** Aborts with the caller's signal, or when the engine has stopped answering. */
  readonly signal: AbortSignal
  /** What ended the call: the engine's silence, rather than the broken stream that it left. */
  reason(error: unknown): unknown
}

/**
 * Long calls (pulls, logs, events, waiting for an exit) may be silent for hours, so silence proves nothing. While any
 * is under way the engine is pinged; if that goes unanswered all of them end.
 */
export class Liveness {
  readonly #ping: (timeoutMs: number) => Promise<void>
  readonly #everyMs: number
  readonly #timeoutMs: number
  readonly #watched = new Set<AbortController>()
  #timer: NodeJS.Timeout | undefined

  constructor(ping: (timeoutMs: number) => Promise<void>, options: LivenessOptions = {}) {
    this.#ping = ping
    this.#everyMs = options.everyMs ?? 10_000
    this.#timeoutMs = options.timeoutMs ?? 20_000
  }

  watch(signal?: AbortSignal): Watched {
    const silence = new AbortController()
    this.#watched.add(silence)
    this.#schedule()
    return {
      signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
      reason: (error) => (silence.signal.aborted ? (silence.signal.reason as unknown) : error),
      [Symbol.dispose]: () => {
        this.#watched.delete(silence)
        if (this.#watched.size > 0) return
        clearTimeout(this.#timer)
        this.#timer = undefined
      },
    }
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.#check().catch(() => undefined)
    }, this.#everyMs).unref()
  }

  async #check(): Promise<void> {
    const asked = [...this.#watched]
    try {
      await this.#ping(this.#timeoutMs)
    } catch (error) {
      const gone = new MureError('unavailable', 'the Docker Engine has stopped answering', { cause: error })
      for (const silence of asked) silence.abort(gone)
    }
    this.#timer = undefined
    if (this.#watched.size > 0) this.#schedule()
  }
}
