import type { Engine } from '#engine/engine.ts'
import { engineStatus } from '#engine/transport.ts'
import { errorText, isMureError, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { abortable } from '#lib/wait.ts'

/** With the image here already, a registry that says nothing is waited for no longer than this. */
const silentRegistryMs = 10_000
/** A registry that did not answer is not asked again at once for an image that is here. */
const unreachableForMs = 30_000

export interface ImageRequest {
  readonly image: string
  readonly registryAuth?: string
}

interface SharedPull {
  readonly work: Promise<void>
  readonly stop: AbortController
  waiting: number
}

/**
 * Gets images, each once however many tasks ask at a time. One that is named by a digest and is here is not asked for
 * again; a tag is, since it may have moved, and what is here serves when the registry does not.
 */
export class Images {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #monotonicMs: () => number
  readonly #underWay = new Map<string, SharedPull>()
  readonly #unreachableUntil = new Map<string, number>()

  constructor(engine: Engine, logger: Logger, monotonicMs: () => number) {
    this.#engine = engine
    this.#logger = logger
    this.#monotonicMs = monotonicMs
  }

  /** The pull goes on while anybody waits for it. Throws `not-found` for an image that can't be had. */
  async ensure(request: ImageRequest, signal: AbortSignal): Promise<void> {
    const key = JSON.stringify(request)
    let pull = this.#underWay.get(key)
    if (pull === undefined) {
      const stop = new AbortController()
      const work = this.#get(key, request, stop.signal).finally(() => {
        if (this.#underWay.get(key)?.stop === stop) this.#underWay.delete(key)
      })
      pull = { work, stop, waiting: 0 }
      this.#underWay.set(key, pull)
    }
    pull.waiting += 1
    try {
      await abortable(pull.work, signal, `the image ${request.image}`)
    } finally {
      pull.waiting -= 1
      if (pull.waiting === 0) {
        pull.stop.abort()
        if (this.#underWay.get(key) === pull) this.#underWay.delete(key)
      }
    }
  }

  async #get(key: string, request: ImageRequest, signal: AbortSignal): Promise<void> {
    const { image } = request
    const isHere = await this.#isHere(image, signal)
    if (!isHere) {
      await this.#pullMissing(request, signal)
      return
    }
    const isPinned = image.includes('@') || image.startsWith('sha256:')
    if (isPinned || (this.#unreachableUntil.get(key) ?? 0) > this.#monotonicMs()) return
    const silence = new AbortController()
    const timer = setTimeout(() => {
      silence.abort()
    }, silentRegistryMs)
    try {
      await this.#pull(request, AbortSignal.any([signal, silence.signal]), () => {
        clearTimeout(timer)
      })
      this.#unreachableUntil.delete(key)
    } catch (error) {
      if (signal.aborted || !(silence.signal.aborted || engineStatus(error) !== undefined)) throw error
      this.#unreachableUntil.set(key, this.#monotonicMs() + unreachableForMs)
      this.#logger.info('the image was not pulled; the one that is here serves', { image, error })
    } finally {
      clearTimeout(timer)
    }
  }

  async #pullMissing(request: ImageRequest, signal: AbortSignal): Promise<void> {
    try {
      await this.#pull(request, signal)
    } catch (error) {
      if (engineStatus(error) === undefined || signal.aborted || /context canceled/.test(errorText(error)))
        throw error
      throw new MureError('not-found', `No such image: ${request.image} (${errorText(error)})`, {
        cause: error,
      })
    }
  }

  async #pull(
    { image, registryAuth }: ImageRequest,
    signal: AbortSignal,
    onAnswer?: () => void,
  ): Promise<void> {
    let last = ''
    await this.#engine.pull(image, {
      signal,
      ...(registryAuth === undefined ? {} : { registryAuth }),
      onProgress: (text) => {
        onAnswer?.()
        if (text !== last) this.#logger.debug('pull', { image, progress: text })
        last = text
      },
    })
  }

  async #isHere(image: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#engine.imageInspect(image, { signal })
      return true
    } catch (error) {
      if (isMureError(error, 'not-found')) return false
      throw error
    }
  }
}
