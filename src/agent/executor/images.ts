import type { Engine } from '#engine/engine.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'

/** With the image here already, a registry that does not answer is waited for no longer than this. */
const presentTimeoutMs = 10_000

/**
 * Gets images, each once however many tasks ask at a time. A digest that is here is not asked for again; a tag is,
 * since it may have moved, and what is here serves when the registry does not.
 */
export class Images {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(engine: Engine, logger: Logger) {
    this.#engine = engine
    this.#logger = logger
  }

  async ensure(image: string, registryAuth: string | undefined, signal: AbortSignal): Promise<void> {
    const key = `${image} ${registryAuth ?? ''}`
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const work = this.#get(image, registryAuth, signal).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, work)
    return work
  }

  async #get(image: string, registryAuth: string | undefined, signal: AbortSignal): Promise<void> {
    const present = await this.#isPresent(image, signal)
    if (present && image.includes('@')) return
    const limit = present ? AbortSignal.any([signal, AbortSignal.timeout(presentTimeoutMs)]) : signal
    try {
      await this.#engine.pull(image, {
        signal: limit,
        ...(registryAuth === undefined ? {} : { registryAuth }),
      })
    } catch (error) {
      if (signal.aborted || !present) throw error
      this.#logger.debug('the image was not pulled; the one that is here serves', { image, error })
    }
  }

  async #isPresent(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#engine.imageInspect(image, { signal })
      return true
    } catch (error) {
      if (isMureError(error, 'not-found')) return false
      throw error
    }
  }
}
