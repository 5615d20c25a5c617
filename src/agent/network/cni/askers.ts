import { execResult } from '#lib/exec.ts'
import type { Sandboxes } from '../sandboxes.ts'

const lookEveryMs = 500

/**
 * Containers on networks that do not lead to this host ask for names by the engine's own bridge, whose addresses nobody
 * tells us: they are looked for in the sandboxes when somebody unknown asks.
 */
export class Askers {
  readonly #sandboxes: Sandboxes
  readonly #isOurs: (networkId: string) => boolean
  #looking: Promise<void> | undefined
  #looked = -Infinity

  constructor(sandboxes: Sandboxes, isOurs: (networkId: string) => boolean) {
    this.#sandboxes = sandboxes
    this.#isOurs = isOurs
  }

  /** Whether it is known who has the address, after a look. Whoever floods is looked for as seldom as anybody. */
  async find(address: string): Promise<boolean> {
    if (performance.now() - this.#looked > lookEveryMs)
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined
        this.#looked = performance.now()
      })
    await this.#looking
    return this.#sandboxes.byAddress(address) !== undefined
  }

  async #look(): Promise<void> {
    for (const [sandbox, ends] of this.#sandboxes.bySandbox()) {
      const end = ends.find(({ networkId }) => this.#isOurs(networkId))
      if (end === undefined) continue
      const { stdout, exitCode } = await execResult('nsenter', [
        `--net=${sandbox}`,
        'ip',
        '-json',
        '-4',
        'addr',
      ])
      if (exitCode !== 0) continue
      const links = JSON.parse(stdout) as { ifname?: string; addr_info?: { local?: string }[] }[]
      for (const { ifname, addr_info: addresses = [] } of links)
        for (const { local } of addresses)
          if (ifname !== 'lo' && local !== undefined) this.#sandboxes.alsoAt(local, end.endpointId)
    }
  }
}
