import type { Engine } from '#engine/engine.ts'
import { readText } from '#engine/transport.ts'
import type { Logger } from '#lib/logger.ts'
import { assumedEngineVersions, newer, newestVersion } from './versions.ts'

const askTimeoutMs = 5_000
/** While the engine does not answer, one client in this time waits for it and the others go on with what is known. */
const askAgainMs = 2_000

/**
 * What the engine behind the facade says of itself. Asked at the first request, and again after contact with the
 * engine was lost: it may have come back as another version.
 */
export class EngineFacts {
  readonly #engine: Engine
  readonly #logger: Logger
  #known = false
  #asking: Promise<void> | undefined
  #askedAt = -Infinity
  #apiVersion = assumedEngineVersions.newest
  #oldest = assumedEngineVersions.oldest
  #serverVersion = ''
  #pingHeaders: Readonly<Record<string, string>> = {}

  constructor(engine: Engine, logger: Logger) {
    this.#engine = engine
    this.#logger = logger
  }

  /** The newest version that the engine itself speaks. */
  get apiVersion(): string {
    return this.#apiVersion
  }

  /** The newest version that clients are served. */
  get newestVersion(): string {
    return newer(newestVersion, this.#apiVersion)
  }

  get oldestVersion(): string {
    return this.#oldest
  }

  /** As Docker names itself in every answer; empty while the engine has never answered. */
  get server(): string {
    return this.#serverVersion === '' ? '' : `Docker/${this.#serverVersion} (linux)`
  }

  get experimental(): string {
    return this.#pingHeaders['docker-experimental'] ?? 'false'
  }

  /** The builder that the engine recommends: `2` is BuildKit. An engine that says nothing has the classic one. */
  get builderVersion(): string {
    return this.#pingHeaders['builder-version'] ?? '1'
  }

  /** To be asked again at the next request. */
  forget(): void {
    this.#known = false
  }

  /** Resolves when the facts are as good as they get now; never rejects. */
  async learn(): Promise<void> {
    if (this.#known) return
    if (this.#asking === undefined && performance.now() - this.#askedAt < askAgainMs) return
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
      this.#askedAt = performance.now()
    })
    await this.#asking
  }

  async #ask(): Promise<void> {
    try {
      const options = { timeoutMs: askTimeoutMs }
      const version = await this.#engine.version(options)
      const ping = await this.#engine.raw({
        method: 'GET',
        path: '/_ping',
        signal: AbortSignal.timeout(askTimeoutMs),
      })
      await readText(ping)
      this.#apiVersion = version.ApiVersion
      this.#oldest = version.MinAPIVersion
      this.#serverVersion = version.Version
      this.#pingHeaders = Object.fromEntries(
        Object.entries(ping.headers).flatMap(([name, value]) =>
          typeof value === 'string' && value !== '' ? [[name, value]] : [],
        ),
      )
      this.#known = true
    } catch (error) {
      this.#logger.warn('the engine does not say which API it speaks', { error })
    }
  }
}
