import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import type { ManagerAddress } from '#rpc/messages.ts'

/**
 * The managers an agent knows, kept on disk: after a reboot any that lives will do. A disk that can't be written is
 * no reason to lose a session; the list in memory goes on.
 */
export class ManagerList {
  readonly #path: string
  readonly #logger: Logger
  readonly #writing = new Mutex()
  #managers: readonly ManagerAddress[] = []

  constructor(dataDir: string, logger: Logger) {
    this.#path = join(dataDir, 'managers.json')
    this.#logger = logger
  }

  get all(): readonly ManagerAddress[] {
    return this.#managers
  }

  async load(): Promise<void> {
    const text = await readFileIfThere(this.#path)
    if (text === undefined) return
    try {
      const read: unknown = JSON.parse(text)
      if (Array.isArray(read)) this.#managers = read.filter(isManagerAddress)
    } catch (error) {
      this.#logger.warn('the list of managers on disk is not readable', { path: this.#path, error })
    }
  }

  /** Takes in those that are not known yet. */
  async add(managers: readonly ManagerAddress[]): Promise<void> {
    const known = new Set(this.#managers.map((manager) => manager.address))
    await this.set([...this.#managers, ...managers.filter((manager) => !known.has(manager.address))])
  }

  /** Replaces the list; an empty one is not believed. Resolves once it is on disk, or can't be. */
  async set(managers: readonly ManagerAddress[]): Promise<void> {
    if (managers.length === 0 || JSON.stringify(managers) === JSON.stringify(this.#managers)) return
    this.#managers = managers
    try {
      await this.#writing.run(() =>
        writeFileAtomic(this.#path, `${JSON.stringify(this.#managers, null, 2)}\n`),
      )
    } catch (error) {
      this.#logger.warn('the list of managers was not written', { path: this.#path, error: errorText(error) })
    }
  }

  /** All of them in a new random order, the one that has just failed last. */
  inTurn(random: Random, failed: string | undefined): string[] {
    const known = [...new Set(this.#managers.map((manager) => manager.address))]
    const addresses = shuffled(random, known)
    return [
      ...addresses.filter((address) => address !== failed),
      ...addresses.filter((address) => address === failed),
    ]
  }
}

const isManagerAddress = (value: unknown): value is ManagerAddress =>
  typeof value === 'object' &&
  value !== null &&
  'address' in value &&
  typeof value.address === 'string' &&
  'nodeId' in value &&
  typeof value.nodeId === 'string'
