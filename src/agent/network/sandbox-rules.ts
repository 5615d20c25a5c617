import { sleep } from '#lib/wait.ts'
import { renderNameRedirect } from './dns/redirect.ts'
import { families } from './family.ts'
import type { Family } from './family.ts'
import { KernelTable } from './kernel-table.ts'
import { renderReturnPath, returnPathSettings, returnPathTable } from './mesh/return-path.ts'
import type { HostNumbers } from './mesh/return-path.ts'
import {
  removedBackends,
  renderVirtualAddresses,
  targetsIn,
  virtualAddressTable,
} from './rules/virtual-addresses.ts'
import type { VirtualAddresses } from './rules/virtual-addresses.ts'
import { batchSettled, inNetns, nft } from './tools.ts'

/** What one sandbox's namespace is to do. */
export interface SandboxRules {
  readonly virtualAddresses: (family: Family) => VirtualAddresses
  /** Whose questions are ours to answer, and where. */
  readonly names: { readonly resolvers: readonly string[]; readonly nameserver: string }
  /** The mesh's way back, where the sandbox is on the mesh's network: its address there, and the hosts. */
  readonly mesh?: {
    readonly address: string
    readonly hasIpv6: boolean
    readonly hosts: HostNumbers
  }
}

const lookEveryMs = 4

export interface Patience {
  /** How long a link that the engine is about to move in is waited for. */
  readonly linkMs: number
  readonly signal: AbortSignal
}

/** The rules of one sandbox: written when it appears, before its first process, and changed from then on. */
export class SandboxKernel {
  readonly #path: string
  readonly #virtual: ReadonlyMap<Family, KernelTable>
  readonly #mesh: ReadonlyMap<Family, KernelTable>
  readonly #applied = new Map<Family, VirtualAddresses>()
  #device: string | undefined
  #hosts: HostNumbers | undefined
  #redirect = ''

  constructor(path: string) {
    this.#path = path
    this.#virtual = tables(virtualAddressTable, path)
    this.#mesh = tables(returnPathTable, path)
  }

  /** The namespace is there; its links may come a moment later. */
  async apply(rules: SandboxRules, patience: Patience): Promise<void> {
    await this.#redirectNames(renderNameRedirect(rules.names.resolvers, rules.names.nameserver))
    for (const [family, table] of this.#virtual) {
      const after = rules.virtualAddresses(family)
      const before = this.#applied.get(family)
      // Few networks have IPv6, and what was never needed is not written.
      if (before === undefined && after.size === 0) continue
      const gone = before === undefined ? await this.#leftOver(table, after) : removedBackends(before, after)
      await table.write(renderVirtualAddresses(family, before, after))
      this.#applied.set(family, after)
      // A UDP "connection" would go on to where it went before, for as long as somebody sends.
      for (const address of gone)
        await inNetns(this.#path, 'conntrack', '-D', '-p', 'udp', '--reply-src', address)
    }
    if (rules.mesh !== undefined) await this.#applyMesh(rules.mesh, patience)
  }

  /** Whether the rules here are those that were written. */
  async isIntact(): Promise<boolean> {
    for (const family of this.#applied.keys())
      if (!((await this.#virtual.get(family)?.isIntact()) ?? true)) return false
    if (this.#hosts === undefined) return true
    for (const table of this.#mesh.values()) if (!(await table.isIntact())) return false
    return true
  }

  async #redirectNames(lines: readonly string[]): Promise<void> {
    const text = lines.join('\n')
    if (text === this.#redirect) return
    await nft(lines, this.#path)
    this.#redirect = text
  }

  /** What rules of an earlier process sent connections to, and these do not. */
  async #leftOver(table: KernelTable, after: VirtualAddresses): Promise<string[]> {
    const now = new Set([...after.values()].flat())
    return targetsIn((await table.read()) ?? '').filter((address) => !now.has(address))
  }

  async #applyMesh(
    { address, hasIpv6, hosts }: NonNullable<SandboxRules['mesh']>,
    { linkMs, signal }: Patience,
  ): Promise<void> {
    const device = this.#device ?? (await this.#deviceOf(address, linkMs))
    if (device === undefined) return
    // Those of IPv6 are not there on every host.
    if (this.#device === undefined)
      await inNetns(this.#path, 'sysctl', '--ignore', '-qw', ...returnPathSettings(device))
    this.#device = device
    const { nft: lines, ip, ip6 } = renderReturnPath(device, this.#hosts, hosts)
    // The engine has given the link its address, and is about to set it up.
    const where = { netns: this.#path, timeoutMs: linkMs, signal }
    await batchSettled('ip', ip, where)
    if (hasIpv6) await batchSettled('ip', ip6, { ...where, family: 6 })
    const [first, ...others] = this.#mesh.values()
    await first?.write(lines)
    for (const table of others) table.touched()
    this.#hosts = hosts
  }

  async #deviceOf(address: string, timeoutMs: number): Promise<string | undefined> {
    for (let waited = 0; ; waited += lookEveryMs) {
      const { stdout } = await inNetns(this.#path, 'ip', '-json', 'addr', 'show', 'to', address)
      const links = stdout.trim() === '' ? [] : (JSON.parse(stdout) as { ifname?: string }[])
      const device = links.find(({ ifname }) => ifname !== undefined)?.ifname
      if (device !== undefined || waited >= timeoutMs) return device
      await sleep(lookEveryMs)
    }
  }
}

const tables = (name: string, path: string): ReadonlyMap<Family, KernelTable> =>
  new Map(families.map((family) => [family, new KernelTable(family.name, name, path)]))
