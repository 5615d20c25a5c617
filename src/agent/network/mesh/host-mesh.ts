import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import type { Network } from '#model/network.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { bridgeName, bridgePrefix } from '../device-names.ts'
import { nft } from '../tools.ts'
import { publishedPortsOf, removedTargets, renderPublishedPorts } from './published-ports.ts'
import type { PublishedPorts } from './published-ports.ts'

/** The routing mesh's rules on the host itself. */
export class HostMesh {
  readonly #nodeId: string
  readonly #state: DataPlaneState
  readonly #table: string
  readonly #logger: Logger
  #applied: PublishedPorts | undefined
  #prepared = ''
  #ingressId = ''

  constructor(parts: { nodeId: string; state: DataPlaneState; table: string; logger: Logger }) {
    this.#nodeId = parts.nodeId
    this.#state = parts.state
    this.#table = parts.table
    this.#logger = parts.logger
  }

  isPublished(ingressId: string): boolean {
    for (const endpoint of this.#state.endpoints(ingressId)) if (endpoint.ports.length > 0) return true
    return false
  }

  /** `bridges`: of every network that is on this host. */
  async sync(ingress: Network, bridges: readonly string[]): Promise<void> {
    const { id } = ingress.meta
    const ports = publishedPortsOf(this.#state.endpoints(id), this.#state.members(id), this.#nodeId)
    const { vxlanId } = ingress.status
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    if (vxlanId === undefined || localAddress === undefined) return
    // A host that has none of our networks is left as it was.
    if (this.#applied === undefined && bridges.length === 0) return
    const ingressBridge = bridgeName(vxlanId)
    // Another network is the mesh's now: nothing of the rules is as it was.
    if (this.#ingressId !== id) {
      this.#applied = undefined
      this.#prepared = ''
    }
    this.#ingressId = id
    // A bridge that comes again is another one, whatever its name.
    if (!bridges.includes(ingressBridge)) this.#prepared = ''
    if (this.#applied === undefined) await this.#accept()
    if (bridges.includes(ingressBridge) && this.#prepared !== ingressBridge)
      await this.#prepare(ingressBridge)
    const where = { table: this.#table, ingressBridge, localAddress }
    await nft(renderPublishedPorts(where, this.#applied, ports))
    for (const address of removedTargets(this.#applied, ports))
      await execResult('conntrack', ['-D', '-p', 'udp', '--reply-src', address])
    this.#applied = ports
  }

  /** What of the mesh's rules is not there, in words. */
  async differences(): Promise<string[]> {
    if (this.#applied === undefined) return []
    const { exitCode } = await execResult('nft', ['list', 'chain', 'ip', this.#table, 'prerouting'])
    return exitCode === 0 ? [] : ['the rules of the routing mesh are gone']
  }

  /** Somebody else's flush takes our rules too. */
  async repair(ingress: Network | undefined, bridges: readonly string[]): Promise<void> {
    if (ingress === undefined || this.#applied === undefined) return
    const { exitCode } = await execResult('nft', ['list', 'chain', 'ip', this.#table, 'prerouting'])
    if (exitCode !== 0) {
      this.#logger.warn('the rules of the routing mesh were gone, and are written anew')
      this.#applied = undefined
      await this.sync(ingress, bridges)
    }
    await this.#accept()
  }

  async remove(): Promise<void> {
    this.#prepared = ''
    if (this.#applied === undefined) return
    this.#applied = undefined
    await execResult('nft', ['delete', 'table', 'ip', this.#table])
  }

  /** A bridge that is gone takes its settings along: the next of its name is prepared anew. */
  bridgesAre(bridges: readonly string[]): void {
    if (!bridges.includes(this.#prepared)) this.#prepared = ''
  }

  /** What comes back to a loopback address comes in by this bridge; what is sent to one by a task is dropped. */
  async #prepare(ingressBridge: string): Promise<void> {
    this.#prepared = ingressBridge
    await execResult('sysctl', [
      '-qw',
      'net.ipv4.ip_forward=1',
      `net.ipv4.conf.${ingressBridge}.rp_filter=0`,
      `net.ipv4.conf.${ingressBridge}.route_localnet=1`,
    ])
  }

  /** The engine drops what it does not know; its own chain for others' rules says otherwise for our bridges. */
  async #accept(): Promise<void> {
    const chains = ['DOCKER-USER', 'FORWARD']
    for (const direction of ['-i', '-o'])
      for (const chain of chains) {
        const rule = [direction, `${bridgePrefix}+`, '-j', 'ACCEPT']
        const known = await execResult('iptables', ['-w', '-C', chain, ...rule])
        if (known.exitCode === 0) break
        const made = await execResult('iptables', ['-w', '-I', chain, ...rule])
        if (made.exitCode === 0) break
      }
  }
}
