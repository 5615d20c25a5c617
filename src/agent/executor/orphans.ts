import type { Engine } from '#engine/engine.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'

/** The engine's own grace period for a container that names none. */
const defaultGraceSeconds = 10

/** Takes away containers that belong to no task. What fails is found again by the next comparison. */
export class Orphans {
  readonly #engine: Engine
  readonly #logger: Logger
  readonly #underWay = new Set<string>()

  constructor(engine: Engine, logger: Logger) {
    this.#engine = engine
    this.#logger = logger
  }

  /** With the grace period that the container was made with. Goes on by itself. */
  remove(containerId: string, taskId: string): void {
    if (this.#underWay.has(containerId)) return
    this.#underWay.add(containerId)
    const fields = { container: containerId, task: taskId }
    this.#logger.info('a container without a task is removed', fields)
    this.#stopAndRemove(containerId)
      .catch((error: unknown) => {
        this.#logger.warn('a container without a task is left for now', { ...fields, error })
      })
      .finally(() => {
        this.#underWay.delete(containerId)
      })
  }

  /** Without any grace. */
  async removeNow(containerId: string): Promise<void> {
    try {
      await this.#engine.removeContainer(containerId)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
    }
  }

  async #stopAndRemove(containerId: string): Promise<void> {
    try {
      const { Config: config } = await this.#engine.inspectContainer(containerId)
      await this.#engine.stopContainer(containerId, config.StopTimeout ?? defaultGraceSeconds)
    } catch (error) {
      if (!isMureError(error, 'not-found', 'precondition')) throw error
    }
    await this.removeNow(containerId)
  }
}
