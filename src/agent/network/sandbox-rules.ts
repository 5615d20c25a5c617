import { access } from 'node:fs/promises'
import { sleep } from '#lib/wait.ts'
import { renderNameRedirect } from './dns/redirect.ts'
import { renderReturnPath } from './mesh/return-path.ts'
import type { HostNumbers } from './mesh/return-path.ts'
import { removedBackends, renderVirtualAddresses } from './rules/virtual-addresses.ts'
import type { VirtualAddresses } from './rules/virtual-addresses.ts'
import { inNetns, nft } from './tools.ts'

/** What one sandbox's namespace is to do. */
export interface SandboxRules {
  readonly virtualAddresses: VirtualAddresses
  /** Whose questions are ours to answer, and where. */
  readonly names: { readonly resolvers: readonly string[]; readonly nameserver: string }
  /** The mesh's way back, where the sandbox is on the mesh's network: its address there, and the hosts. */
  readonly mesh?: { readonly address: string; readonly hosts: HostNumbers }
}

interface Applied {
  readonly virtualAddresses?: VirtualAddresses
  readonly redirect?: string
  readonly device?: string
  readonly hosts?: HostNumbers
}

const appearMs = 5_000
const lookEveryMs = 4

/** The rules of one sandbox: written when it appears, before its first process, and changed from then on. */
export class SandboxKernel {
  readonly #path: string
  #applied: Applied = {}

  constructor(path: string) {
    this.#path = path
  }

  get isWritten(): boolean {
    return this.#applied.virtualAddresses !== undefined
  }

  /** Waits for the namespace, which the engine announces a moment before it makes it. */
  async apply(rules: SandboxRules, signal: AbortSignal): Promise<void> {
    await this.#appeared(signal)
    const before = this.#applied.virtualAddresses
    const redirect = renderNameRedirect(rules.names.resolvers, rules.names.nameserver)
    const redirectText = redirect.join('\n')
    await nft(
      [
        ...renderVirtualAddresses(before, rules.virtualAddresses),
        ...(this.#applied.redirect === redirectText ? [] : redirect),
      ],
      this.#path,
    )
    this.#applied = {
      ...this.#applied,
      virtualAddresses: rules.virtualAddresses,
      redirect: redirectText,
    }
    // A UDP "connection" would go on to where it went before, for as long as somebody sends.
    for (const address of removedBackends(before, rules.virtualAddresses))
      await inNetns(this.#path, 'conntrack', '-D', '-p', 'udp', '--reply-src', address)
    if (rules.mesh !== undefined) await this.#applyMesh(rules.mesh)
  }

  async #applyMesh({ address, hosts }: NonNullable<SandboxRules['mesh']>): Promise<void> {
    const device = this.#applied.device ?? (await this.#deviceOf(address))
    if (device === undefined) return
    if (this.#applied.device === undefined)
      // The client's address comes in where no route leads to it, and the answer's route follows the mark.
      await inNetns(
        this.#path,
        'sysctl',
        '-qw',
        'net.ipv4.conf.all.rp_filter=0',
        `net.ipv4.conf.${device}.rp_filter=0`,
        'net.ipv4.tcp_fwmark_accept=1',
      )
    const { nft: lines, ip } = renderReturnPath(device, this.#applied.hosts, hosts)
    for (const line of ip) await inNetns(this.#path, 'ip', ...line.split(' '))
    await nft(lines, this.#path)
    this.#applied = { ...this.#applied, device, hosts }
  }

  async #deviceOf(address: string): Promise<string | undefined> {
    for (let waited = 0; waited < appearMs; waited += lookEveryMs) {
      const { stdout } = await inNetns(this.#path, 'ip', '-json', 'addr', 'show', 'to', address)
      const links = stdout.trim() === '' ? [] : (JSON.parse(stdout) as { ifname?: string }[])
      const device = links.find(({ ifname }) => ifname !== undefined)?.ifname
      if (device !== undefined) return device
      await sleep(lookEveryMs)
    }
    return undefined
  }

  async #appeared(signal: AbortSignal): Promise<void> {
    for (let waited = 0; ; waited += lookEveryMs) {
      const isThere = await access(this.#path).then(
        () => true,
        () => false,
      )
      if (isThere || waited > appearMs) return
      await sleep(lookEveryMs, signal)
    }
  }
}
