import { readdir, readFile, writeFile } from 'node:fs/promises'
import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import type { Network } from '#model/network.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import { bridgeName } from '../device-names.ts'
import { families, ipv6 } from '../family.ts'
import type { Family } from '../family.ts'
import { KernelTable } from '../kernel-table.ts'
import { targetsIn } from '../rules/virtual-addresses.ts'
import { PortListeners } from './port-listeners.ts'
import type { HostPort } from './port-listeners.ts'
import { publishedPortsOf, removedTargets, renderPublishedPorts } from './published-ports.ts'
import type { PublishedPorts } from './published-ports.ts'

/** The routing mesh's rules on the host itself. */
export class HostMesh implements AsyncDisposable {
  readonly #nodeId: string
  readonly #state: DataPlaneState
  readonly #logger: Logger
  readonly #tables: ReadonlyMap<Family, KernelTable>
  readonly #applied = new Map<Family, PublishedPorts>()
  readonly #listeners: PortListeners
  #prepared = ''
  #ingressId = ''

  constructor(parts: { nodeId: string; state: DataPlaneState; table: string; logger: Logger }) {
    this.#nodeId = parts.nodeId
    this.#state = parts.state
    this.#logger = parts.logger
    this.#listeners = new PortListeners(parts.logger)
    this.#tables = new Map(families.map((family) => [family, new KernelTable(family.name, parts.table)]))
  }

  isPublished(ingressId: string): boolean {
    for (const endpoint of this.#state.endpoints(ingressId)) if (endpoint.ports.length > 0) return true
    return false
  }

  /** `bridges`: of every network that is on this host. */
  async sync(ingress: Network, bridges: readonly string[]): Promise<void> {
    const { vxlanId } = ingress.status
    const localAddress = this.#state.hosts.get(this.#nodeId)?.address
    if (vxlanId === undefined || localAddress === undefined) return
    // Another network is the mesh's now: nothing of the rules is as it was.
    if (this.#ingressId !== ingress.meta.id) {
      this.#applied.clear()
      this.#prepared = ''
    }
    this.#ingressId = ingress.meta.id
    const isNew = this.#applied.size === 0
    // A host that has none of our networks is left as it was.
    if (isNew && bridges.length === 0) return
    const ingressBridge = bridgeName(vxlanId)
    // A bridge that comes again is another one, whatever its name.
    if (!bridges.includes(ingressBridge)) this.#prepared = ''
    if (bridges.includes(ingressBridge) && this.#prepared !== ingressBridge)
      await this.#prepare(ingressBridge)
    await this.#listeners.sync(this.#wantedPorts(ingress.meta.id))
    for (const family of families) {
      if (!isNew && !this.#applied.has(family)) continue
      if (family === ipv6 && !ingress.status.ranges.some(({ subnet }) => ipv6.has(subnet))) continue
      await this.#syncFamily(family, ingress, { ingressBridge, localAddress })
    }
  }

  #wantedPorts(ingressId: string): HostPort[] {
    return [...this.#state.endpoints(ingressId)].flatMap(({ ports }) =>
      ports.flatMap(({ protocol, publishedPort = 0 }) =>
        publishedPort > 0 ? [{ protocol, port: publishedPort }] : [],
      ),
    )
  }

  async #syncFamily(
    family: Family,
    ingress: Network,
    where: { readonly ingressBridge: string; readonly localAddress: string },
  ): Promise<void> {
    const table = this.#tables.get(family)
    if (table === undefined) return
    const { id } = ingress.meta
    const ports = publishedPortsOf(family, this.#state.endpoints(id), this.#state.members(id), this.#nodeId)
    // What another program of this host has stays its own.
    for (const key of this.#listeners.refused) ports.delete(key)
    const before = this.#applied.get(family)
    const now = new Set([...ports.values()].flatMap(({ backends }) => backends))
    const gone =
      before === undefined
        ? // What rules of an earlier process sent connections to.
          targetsIn((await table.read()) ?? '').filter((address) => !now.has(address))
        : removedTargets(before, ports)
    await table.write(renderPublishedPorts(family, { table: table.name, ...where }, before, ports))
    this.#applied.set(family, ports)
    for (const address of gone) await execResult('conntrack', ['-D', '-p', 'udp', '--reply-src', address])
  }

  /** What of the mesh's rules is not as it should be, in words. */
  async differences(): Promise<string[]> {
    return (await this.#isIntact())
      ? []
      : ["the rules of the routing mesh were changed by somebody else's hand"]
  }

  async #isIntact(): Promise<boolean> {
    for (const family of this.#applied.keys())
      if ((await this.#tables.get(family)?.isIntact()) === false) return false
    return true
  }

  /** Somebody else's flush takes our rules too. */
  async repair(ingress: Network | undefined, bridges: readonly string[]): Promise<void> {
    if (ingress === undefined || this.#applied.size === 0) return
    if (!(await this.#isIntact())) {
      this.#logger.warn('the rules of the routing mesh were changed, and are written anew')
      this.#applied.clear()
      this.#prepared = ''
      await this.sync(ingress, bridges)
    } else if (await this.#listeners.sync(this.#wantedPorts(ingress.meta.id)))
      // Another program has let go of its port.
      await this.sync(ingress, bridges)
  }

  /** The ports are let go of; what the kernel does stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listeners[Symbol.asyncDispose]()
  }

  async remove(): Promise<void> {
    await this.#listeners.sync([])
    this.#prepared = ''
    this.#applied.clear()
    for (const table of this.#tables.values()) await table.remove()
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
    await forwardIpv6()
  }
}

/** A host that forwards takes no more routes from its routers, unless it is told to go on. */
async function forwardIpv6(): Promise<void> {
  const settings = '/proc/sys/net/ipv6/conf'
  const devices = await readdir(settings).catch(() => [])
  if (devices.length === 0) return
  if ((await readFile(`${settings}/all/forwarding`, 'utf8')).trim() === '1') return
  for (const device of devices) {
    const file = `${settings}/${device}/accept_ra`
    const value = await readFile(file, 'utf8').catch(() => '')
    if (value.trim() === '1') await writeFile(file, '2').catch(() => undefined)
  }
  await writeFile(`${settings}/all/forwarding`, '1')
}
