import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'

/**
 * Numbers this node's sessions so that of two the later is the greater, over restarts and with a clock that was set
 * back. The clock counts too: it is what remains when the disk does not keep the number.
 */
export class SessionEpoch {
  readonly #path: string
  readonly #clock: Clock
  readonly #logger: Logger
  #last: number | undefined

  constructor(dataDir: string, clock: Clock, logger: Logger) {
    this.#path = join(dataDir, 'session-epoch')
    this.#clock = clock
    this.#logger = logger
  }

  async next(): Promise<number> {
    try {
      this.#last ??= Number((await readFileIfThere(this.#path)) ?? 0) || 0
      this.#last = Math.max(this.#last + 1, Math.floor(this.#clock.now()))
      await writeFileAtomic(this.#path, `${String(this.#last)}\n`)
    } catch (error) {
      this.#logger.warn('the number of the session was not kept', { path: this.#path, error })
      this.#last = Math.max((this.#last ?? 0) + 1, Math.floor(this.#clock.now()))
    }
    return this.#last
  }
}
