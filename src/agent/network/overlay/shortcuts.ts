import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import { KernelTable } from '../kernel-table.ts'
import { renderShortcuts } from './shortcut-rules.ts'
import type { Shortcuts as Wanted } from './shortcut-rules.ts'

/**
 * Keeps the shortcuts between tunnels and cables. Where there are none everything works as well, only slower: so what
 * cannot be written is left away, and written when something changes next.
 */
export class ShortcutTable {
  readonly #table: KernelTable
  readonly #logger: Logger
  readonly #mutex = new Mutex()
  #applied: Wanted | undefined
  #devices = 0

  constructor(table: string, logger: Logger) {
    this.#table = new KernelTable('netdev', table)
    this.#logger = logger
  }

  /** `devices`: another number when devices were made anew. The rules know them by their numbers in the kernel. */
  sync(wanted: Wanted, devices: number): Promise<void> {
    return this.#mutex.run(async () => {
      // A host that has none of our networks is left as it was.
      if (this.#applied === undefined && wanted.size === 0) return
      const { name } = this.#table
      const before = devices === this.#devices ? this.#applied : undefined
      this.#applied = undefined
      this.#devices = devices
      try {
        // A device that is gone took its chain along, or did not: kernels differ.
        if (before === undefined) await this.#table.write(renderShortcuts(name, undefined, wanted))
        else
          await this.#table
            .write(renderShortcuts(name, before, wanted))
            .catch(() => this.#table.write(renderShortcuts(name, undefined, wanted)))
        this.#applied = wanted
      } catch (error) {
        this.#logger.debug('there are no shortcuts between tunnels and cables now', { error })
        await this.#table.remove()
      }
    })
  }

  /** As `sync`, after devices may have been made anew, or somebody else's hand has been there. */
  repair(wanted: Wanted, devices: number): Promise<void> {
    return this.#mutex
      .run(async () => {
        if (this.#applied !== undefined && !(await this.#table.isIntact())) this.#applied = undefined
      })
      .then(() => this.sync(wanted, devices))
  }

  remove(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#applied = undefined
      await this.#table.remove()
    })
  }
}
