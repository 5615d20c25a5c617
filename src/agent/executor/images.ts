import type { Engine } from '#engine/engine.ts'
import { registryOf } from '#engine/image-name.ts'
import { engineStatus } from '#engine/transport.ts'
import { errorText, isMureError, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { abortable } from '#lib/wait.ts'

/** With the image here already, a registry that says nothing is waited for no longer than this. */
const silentRegistryMs = 3_000
/** A registry that did not answer is not asked again at once for images that are here. */
const unreachableForMs = 60_000

export interface ImageRequest {
  readonly image: string
  readonly registryAuth?: string
}

interface SharedPull {
  readonly work: Promise<void>
  readonly stop: AbortController
  waiting: number
}

/** Where an image may be had besides its registry. */
export interface ImageSource {
  /**
   * Sees to it that the image is here, by `pull` or in another way; `pull` gets it from its registry. Throws what
   * `pull` threw where there is no other way.
   */
  obtain(image: string, pull: () => Promise<void>, signal: AbortSignal): Promise<void>
}

/**
 * Gets images, each once however many tasks ask at a time. One that is named by a digest and is here is not asked for
 * again; a tag is, since it may have moved, and what is here serves when the registry does not.
 */
export class Images {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #monotonicMs: () => number
  readonly #peers: ImageSource | undefined
  readonly #prefersLocal: boolean
  readonly #underWay = new Map<string, SharedPull>()
  /** By registry, where one was silent; by request, where it refused. */
  readonly #unreachableUntil = new Map<string, number>()

  constructor(parts: {
    engine: Engine
    logger: Logger
    monotonicMs: () => number
    peers?: ImageSource | undefined
    /** An image that is here serves, whatever its registry may have by now. Default false. */
    prefersLocal?: boolean
  }) {
    this.#prefersLocal = parts.prefersLocal ?? false
    this.#engine = parts.engine
    this.#logger = parts.logger
    this.#monotonicMs = parts.monotonicMs
    this.#peers = parts.peers
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
    if (!(await this.#isHere(image, signal))) {
      const pull = () => this.#pullMissing(request, signal)
      if (this.#peers === undefined) await pull()
      else await this.#fromPeers(key, request, pull, signal)
      return
    }
    await this.#pullNewer(key, request, signal)
  }

  /** What came from another node is what it had; the registry is still asked what the name means now. */
  async #fromPeers(
    key: string,
    request: ImageRequest,
    pull: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<void> {
    let isPulled = false
    const pulled = async () => {
      await pull()
      isPulled = true
    }
    await this.#peers?.obtain(request.image, pulled, signal)
    if (isPulled) return
    // By its digest it is known to the engine once the registry has said so: the layers are here by then.
    if (await this.#isHere(request.image, signal)) await this.#pullNewer(key, request, signal)
    else await pull()
  }

  async #pullNewer(key: string, request: ImageRequest, signal: AbortSignal): Promise<void> {
    const { image } = request
    const isPinned = image.includes('@') || image.startsWith('sha256:')
    const registry = registryOf(image)
    const isUnreachable = [key, registry].some(
      (of) => (this.#unreachableUntil.get(of) ?? 0) > this.#monotonicMs(),
    )
    if (isPinned || isUnreachable || this.#prefersLocal) return
    const silence = new AbortController()
    const timer = setTimeout(() => {
      silence.abort()
    }, silentRegistryMs)
    try {
      await this.#pull(request, AbortSignal.any([signal, silence.signal]), () => {
        clearTimeout(timer)
      })
      this.#unreachableUntil.delete(key)
      this.#unreachableUntil.delete(registry)
    } catch (error) {
      if (signal.aborted || !(silence.signal.aborted || engineStatus(error) !== undefined)) throw error
      const silent = silence.signal.aborted ? registry : key
      this.#unreachableUntil.set(silent, this.#monotonicMs() + unreachableForMs)
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
