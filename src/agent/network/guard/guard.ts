import { isDeepStrictEqual } from 'node:util'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import { KernelTable } from '../kernel-table.ts'
import { cableFrame, removeCable, renderCable } from './cables.ts'
import type { Cable } from './cables.ts'
import { encryptionPort } from '../encryption/config.ts'
import { forgetFirewalls, passFirewalls } from './firewalls.ts'
import { renderHostGuard } from './host-rules.ts'
import type { HostGuard } from './host-rules.ts'

/** Keeps containers to their own addresses, and networks apart. */
export class Guard {
  readonly #cablePrefix: string
  readonly #logger: Logger
  readonly #cableTable: KernelTable
  readonly #hostTable: KernelTable
  readonly #cables = new Map<string, Cable>()
  /** Not the agent's own: the engine waits for an answer while the agent may wait for the engine. */
  readonly #mutex = new Mutex()
  /** Whether the frame is in the kernel: a table that an earlier daemon left is replaced, cables and all. */
  #hasFrame = false
  #applied: HostGuard | undefined

  constructor(parts: { table: string; cablePrefix: string; logger: Logger }) {
    this.#cablePrefix = parts.cablePrefix
    this.#logger = parts.logger
    this.#cableTable = new KernelTable('bridge', parts.table)
    this.#hostTable = new KernelTable('inet', parts.table)
  }

  /** Those that are there already, from before this process: written together, in one change. */
  restore(cables: readonly Cable[]): Promise<void> {
    return this.#mutex.run(async () => {
      for (const cable of cables) this.#cables.set(cable.device, cable)
      if (this.#cables.size > 0 || this.#hasFrame) await this.#writeAll()
    })
  }

  /** From here on the cable carries what its container may send. */
  admit(cable: Cable): Promise<void> {
    return this.#mutex.run(async () => {
      const before = this.#cables.get(cable.device)
      this.#cables.set(cable.device, cable)
      if (!this.#hasFrame) return this.#writeAll()
      const { name } = this.#cableTable
      const lines = [...(before === undefined ? [] : removeCable(name, before)), ...renderCable(name, cable)]
      await this.#cableTable.write(lines).catch(() => this.#writeAll())
    })
  }

  dismiss(device: string): Promise<void> {
    return this.#mutex.run(async () => {
      const cable = this.#cables.get(device)
      if (cable === undefined) return
      this.#cables.delete(device)
      if (this.#hasFrame)
        await this.#cableTable.write(removeCable(this.#cableTable.name, cable)).catch(() => this.#writeAll())
    })
  }

  sync(guard: HostGuard): Promise<void> {
    return this.#mutex.run(async () => {
      // A host that has none of our networks is left as it was.
      if (this.#applied === undefined && guard.bridges.length === 0) return
      if (isDeepStrictEqual(guard, this.#applied)) return
      await this.#hostTable.write(renderHostGuard(this.#hostTable.name, guard))
      await passFirewalls([guard.port, encryptionPort])
      this.#applied = guard
    })
  }

  /** What of the rules is not as it was written, in words. */
  differences(): Promise<string[]> {
    return this.#mutex.run(async () => {
      const found: string[] = []
      if (this.#hasFrame && !(await this.#cableTable.isIntact()))
        found.push(
          "the rules that keep containers to their own addresses were changed by somebody else's hand",
        )
      if (this.#applied !== undefined && !(await this.#hostTable.isIntact()))
        found.push("the rules that keep networks apart were changed by somebody else's hand")
      return found
    })
  }

  /** Somebody else's flush takes our rules too. */
  repair(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#hasFrame && !(await this.#cableTable.isIntact())) {
        this.#logger.warn("the rules of containers' own addresses were changed, and are written anew")
        await this.#writeAll()
      }
      if (this.#applied === undefined) return
      if (!(await this.#hostTable.isIntact())) {
        this.#logger.warn('the rules that keep networks apart were changed, and are written anew')
        await this.#hostTable.write(renderHostGuard(this.#hostTable.name, this.#applied))
      }
      await passFirewalls([this.#applied.port, encryptionPort])
    })
  }

  remove(): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#applied !== undefined) await forgetFirewalls([this.#applied.port, encryptionPort])
      this.#cables.clear()
      this.#hasFrame = false
      this.#applied = undefined
      await this.#cableTable.remove()
      await this.#hostTable.remove()
    })
  }

  async #writeAll(): Promise<void> {
    const { name } = this.#cableTable
    await this.#cableTable.write([
      ...cableFrame(name, this.#cablePrefix),
      ...[...this.#cables.values()].flatMap((cable) => renderCable(name, cable)),
    ])
    this.#hasFrame = true
  }
}
