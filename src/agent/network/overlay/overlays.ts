import { MureError } from '#lib/errors.ts'
import type { Network } from '#model/network.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { bridgeName } from '../device-names.ts'
import { bridgeBatchLoose, ipBatchLoose } from '../tools.ts'
import { forwardingDifferences, linkDifferences } from '../doctor/differences.ts'
import { readKernelLinks } from '../doctor/kernel-links.ts'
import { forwardingOf, renderForwarding } from './forwarding.ts'
import type { Forwarding } from './forwarding.ts'
import { readForwarding } from './kernel-forwarding.ts'
import { ensureLinks, overlayMtu, removeLinks } from './links.ts'

interface Present {
  readonly vxlanId: number
  readonly mtu: number
  /** What was written; undefined: not known. */
  forwarding: Forwarding | undefined
  readonly network: Network
}

/** The networks that have links on this host, and what is written in them. */
export class Overlays {
  readonly #nodeId: string
  readonly #state: DataPlaneState
  readonly #port: () => number
  readonly #present = new Map<string, Present>()

  constructor(parts: { nodeId: string; state: DataPlaneState; port: () => number }) {
    this.#nodeId = parts.nodeId
    this.#state = parts.state
    this.#port = parts.port
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

  has(networkId: string): boolean {
    return this.#present.has(networkId)
  }

  /** `unavailable` until the managers have said where this host's tunnels end, and chosen the network's identifier. */
  async ensure(network: Network): Promise<{ readonly vxlanId: number; readonly mtu: number }> {
    const present = this.#present.get(network.meta.id)
    if (present !== undefined) return present
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    const { vxlanId, ranges } = network.status
    const subnet = ranges.find((range) => range.subnet.includes('.'))?.subnet
    if (localAddress === undefined || vxlanId === undefined || subnet === undefined)
      throw new MureError('unavailable', `network ${network.spec.name} is not allocated yet`)
    const mtu = mtuOption(network) ?? (await overlayMtu(localAddress))
    const port = this.#port()
    await ensureLinks({ vxlanId, subnet, nodeId: this.#nodeId, localAddress, port, mtu })
    const made: Present = { vxlanId, mtu, network, forwarding: undefined }
    this.#present.set(network.meta.id, made)
    await this.forward(network.meta.id)
    return made
  }

  /** Writes what has changed since the last time. */
  async forward(networkId: string): Promise<void> {
    const present = this.#present.get(networkId)
    if (present === undefined) return
    const after = forwardingOf(this.#state.members(networkId), this.#state.hosts, this.#nodeId)
    const before = present.forwarding ?? (await readForwarding(present.vxlanId))
    const { bridge, ip } = renderForwarding(present.vxlanId, before, after)
    await Promise.all([bridgeBatchLoose(bridge), ipBatchLoose(ip)])
    present.forwarding = after
  }

  /** What of the network's links and forwarding entries is not in the kernel as it should be, in words. */
  async differences(networkId: string): Promise<string[]> {
    const present = this.#present.get(networkId)
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    if (present === undefined || localAddress === undefined) return []
    const { vxlanId, mtu } = present
    const expected = forwardingOf(this.#state.members(networkId), this.#state.hosts, this.#nodeId)
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
  }

  async removeAll(): Promise<void> {
    for (const id of this.present) await this.remove(id)
  }
}

/** @see docker network create --opt com.docker.network.driver.mtu */
function mtuOption(network: Network): number | undefined {
  const text = network.spec.driver.options?.['com.docker.network.driver.mtu'] ?? ''
  return /^\d+$/.test(text) ? Number(text) : undefined
}
