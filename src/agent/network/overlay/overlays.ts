import { MureError } from '#lib/errors.ts'
import type { DataPlaneHost } from '#model/data-plane.ts'
import { isEncrypted } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { bridgeName, hostVeth, macOfAddress } from '../device-names.ts'
import { forwardingDifferences, linkDifferences } from '../doctor/differences.ts'
import { readKernelLinks } from '../doctor/kernel-links.ts'
import { innerAddress, innerHosts } from '../encryption/config.ts'
import type { Encryption } from '../encryption/encryption.ts'
import { batchSettled, ipBatchLoose } from '../tools.ts'
import { forwardingOf, renderForwarding } from './forwarding.ts'
import type { Forwarding } from './forwarding.ts'
import { readForwarding } from './kernel-forwarding.ts'
import type { LocalEndpoint } from '../sandboxes.ts'
import type { Shortcut, Shortcuts } from './shortcut-rules.ts'
import { ensureLinks, mtuOf, overheadBytes, removeLinks, removeStaleLinks } from './links.ts'

/** A batch that fails in part is tried again for so long. */
const settleMs = 100

interface Present {
  readonly vxlanId: number
  /** This host's end of the tunnels and their port, as the links were made. */
  readonly end: string
  readonly mtu: number
  /** What was written; undefined: not known. */
  forwarding: Forwarding | undefined
  readonly network: Network
}

/** The networks that have links on this host, and what is written in them. */
export class Overlays {
  readonly #nodeId: string
  readonly #mark: string
  readonly #encryption: Encryption
  readonly #state: DataPlaneState
  readonly #port: () => number
  readonly #present = new Map<string, Present>()
  #devices = 0

  constructor(parts: {
    nodeId: string
    mark: string
    encryption: Encryption
    state: DataPlaneState
    port: () => number
  }) {
    this.#nodeId = parts.nodeId
    this.#mark = parts.mark
    this.#encryption = parts.encryption
    this.#state = parts.state
    this.#port = parts.port
  }

  /** Another number whenever devices were made (anew): rules that name one are good for that one alone. */
  get devices(): number {
    return this.#devices
  }

  get present(): string[] {
    return [...this.#present.keys()]
  }

  get bridges(): string[] {
    return [...this.#present.values()].map(({ vxlanId }) => bridgeName(vxlanId)).sort()
  }

  get vxlanIds(): number[] {
    return [...this.#present.values()].map(({ vxlanId }) => vxlanId).sort((a, b) => a - b)
  }

  /** Straight ways between the tunnels and these ends of networks on this host. */
  shortcuts(ends: readonly LocalEndpoint[]): Shortcuts {
    const result = new Map<number, Shortcut>()
    for (const [networkId, { vxlanId, forwarding }] of this.#present) {
      const cables = ends.flatMap(({ endpointId, networkId: its, address, sandbox }) =>
        its === networkId && sandbox !== ''
          ? [{ device: hostVeth(this.#mark, endpointId), mac: macOfAddress(address), address }]
          : [],
      )
      const far = new Set(forwarding?.keys())
      for (const { mac } of cables) far.delete(mac)
      if (cables.length > 0) result.set(vxlanId, { vxlanId, far, cables })
    }
    return result
  }

  get encryptedVxlanIds(): number[] {
    return [...this.#present.values()]
      .flatMap(({ network, vxlanId }) => (isEncrypted(network) ? [vxlanId] : []))
      .sort((a, b) => a - b)
  }

  has(networkId: string): boolean {
    return this.#present.has(networkId)
  }

  /** `unavailable` until the managers have said where this host's tunnels end, and chosen the network's identifier. */
  async ensure(network: Network): Promise<{ readonly vxlanId: number; readonly mtu: number }> {
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    const port = this.#port()
    const end = `${localAddress ?? ''} ${String(port)}`
    const present = this.#present.get(network.meta.id)
    // A host that is not known for a moment keeps what it has.
    if (present !== undefined && (localAddress === undefined || present.end === end)) return present
    const { vxlanId, ranges } = network.status
    const subnets = ranges.map(({ subnet }) => subnet)
    if (localAddress === undefined || vxlanId === undefined || subnets.length === 0)
      throw new MureError('unavailable', `network ${network.spec.name} is not allocated yet`)
    const underlayMtu = await mtuOf(localAddress)
    const nodeId = this.#nodeId
    const isInside = isEncrypted(network)
    if (isInside) await this.#encryption.ensure([...this.#state.hosts.values()], underlayMtu)
    const tunnelEnd = isInside ? innerAddress(nodeId) : localAddress
    const linkMtu = isInside ? this.#encryption.mtu(underlayMtu) : underlayMtu
    const mtu = mtuOption(network) ?? linkMtu - overheadBytes(tunnelEnd)
    const link = { vxlanId, subnets, nodeId, mark: this.#mark, port, mtu, localAddress: tunnelEnd }
    let mayBeNew = true
    try {
      mayBeNew = await ensureLinks(link)
    } finally {
      if (mayBeNew) this.#devices += 1
    }
    const made: Present = { vxlanId, end, mtu, network, forwarding: undefined }
    this.#present.set(network.meta.id, made)
    await this.forward(network.meta.id)
    return made
  }

  /** Writes what has changed since the last time. */
  async forward(networkId: string): Promise<void> {
    const present = this.#present.get(networkId)
    if (present === undefined) return
    const hosts = this.#hostsOf(present.network)
    const after = forwardingOf(this.#state.members(networkId), hosts, this.#nodeId)
    const before = present.forwarding ?? (await readForwarding(present.vxlanId))
    const { bridge, ip, ip6 } = renderForwarding(present.vxlanId, before, after)
    // Until it is all there, what is there has to be asked for.
    present.forwarding = undefined
    await Promise.all([
      batchSettled('bridge', bridge, { timeoutMs: settleMs }),
      batchSettled('ip', ip, { timeoutMs: settleMs }),
      ipBatchLoose(ip6),
    ])
    present.forwarding = after
  }

  /** Where this network's tunnels end. */
  #hostsOf(network: Network): ReadonlyMap<string, DataPlaneHost> {
    return isEncrypted(network) ? innerHosts(this.#state.hosts.values()) : this.#state.hosts
  }

  /** What of the network's links and forwarding entries is not in the kernel as it should be, in words. */
  async differences(networkId: string): Promise<string[]> {
    const present = this.#present.get(networkId)
    const hosts = present === undefined ? undefined : this.#hostsOf(present.network)
    const localAddress = hosts?.get(this.#nodeId)?.address
    if (present === undefined || hosts === undefined || localAddress === undefined) return []
    const { vxlanId, mtu } = present
    const expected = forwardingOf(this.#state.members(networkId), hosts, this.#nodeId)
    return [
      ...linkDifferences({ vxlanId, mtu, localAddress, port: this.#port() }, await readKernelLinks()),
      ...forwardingDifferences(await readForwarding(vxlanId), expected),
    ]
  }

  /** Compares with the kernel itself, and mends the difference. */
  async repair(networkId: string): Promise<void> {
    const present = this.#present.get(networkId)
    if (present === undefined) return
    this.#present.delete(networkId)
    try {
      await this.ensure(present.network)
    } catch (error) {
      this.#present.set(networkId, { ...present, forwarding: undefined })
      throw error
    }
  }

  async remove(networkId: string): Promise<void> {
    const present = this.#present.get(networkId)
    if (present === undefined) return
    this.#present.delete(networkId)
    await removeLinks(present.vxlanId)
    if (isEncrypted(present.network) && this.encryptedVxlanIds.length === 0) await this.#encryption.remove()
  }

  /** Hosts have come or gone, or have another key. */
  async meetHosts(): Promise<void> {
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    if (localAddress === undefined || this.encryptedVxlanIds.length === 0) return
    await this.#encryption.ensure([...this.#state.hosts.values()], await mtuOf(localAddress))
  }

  /** What an earlier process of this daemon left, of networks that are not here any more. */
  removeStale(): Promise<string[]> {
    return removeStaleLinks(this.#mark, new Set(this.vxlanIds))
  }

  async removeAll(): Promise<void> {
    for (const id of this.present) await this.remove(id)
    await this.removeStale()
  }
}

/** @see docker network create --opt com.docker.network.driver.mtu */
function mtuOption(network: Network): number | undefined {
  const text = network.spec.driver.options?.['com.docker.network.driver.mtu'] ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}
