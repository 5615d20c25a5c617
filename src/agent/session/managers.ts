import { join } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import type { ManagerAddress } from '#rpc/messages.ts'

/** The managers an agent knows, kept on disk: after a reboot any that lives will do. */
export class ManagerList {
  readonly #path: string
  #managers: readonly ManagerAddress[] = []

  constructor(dataDir: string) {
    this.#path = join(dataDir, 'managers.json')
  }

  get all(): readonly ManagerAddress[] {
    return this.#managers
  }

  async load(): Promise<void> {
    const text = await readFileIfThere(this.#path)
    if (text !== undefined) this.#managers = JSON.parse(text) as ManagerAddress[]
  }

  /** Replaces the list; an empty one is not believed. */
  async set(managers: readonly ManagerAddress[]): Promise<void> {
    if (managers.length === 0 || JSON.stringify(managers) === JSON.stringify(this.#managers)) return
    this.#managers = managers
    await writeFileAtomic(this.#path, `${JSON.stringify(managers, null, 2)}\n`)
  }

  /** All of them in a new random order, the one that just failed last. */
  inTurn(random: Random, failed: string | undefined): string[] {
    const addresses = shuffled(
      random,
      this.#managers.map((manager) => manager.address),
    )
    return failed === undefined
      ? addresses
      : [
          ...addresses.filter((address) => address !== failed),
          ...addresses.filter((address) => address === failed),
        ]
  }
}
