import { access } from 'node:fs/promises'
import type { Engine } from '#engine/engine.ts'
import type { EngineNetwork } from '#engine/types.ts'
import { errorText, isMureError, MureError } from '#lib/errors.ts'
import { Mutex } from '#lib/mutex.ts'
import type { Network } from '#model/network.ts'
import { ipv4, ipv6 } from './family.ts'
import { networkIdOption } from './overlay-driver.ts'

/** The label by which one of the engine's networks is known to be ours; its value is our network's id. */
export const networkLabel = 'mure.network.id'

/** A kernel may have been started without it. */
export const hostHasIpv6 = (): Promise<boolean> =>
  access('/proc/sys/net/ipv6').then(
    () => true,
    () => false,
  )

/** How a container's end of a network gets the addresses that the managers chose. */
export async function addressConfig(addresses: readonly string[]): Promise<object> {
  const [four, six] = [ipv4, ipv6].map((family) => addresses.find(family.has)?.split('/')[0])
  const hasIpv6 = six !== undefined && (await hostHasIpv6())
  return { IPAMConfig: { IPv4Address: four, ...(hasIpv6 ? { IPv6Address: six } : {}) } }
}

/** Networks of ours, which the engine leaves to `driver`. */
export const spanningNetworks = (driver: string): EngineNetworkKind => ({
  isDriver: (name) => name === driver,
  mayPass: true,
  async body(network, name) {
    const hasIpv6 = await hostHasIpv6()
    const ranges = network.status.ranges.filter(({ subnet }) => hasIpv6 || ipv4.has(subnet))
    return {
      Name: name,
      CheckDuplicate: true,
      Driver: driver,
      EnableIPv6: ranges.some(({ subnet }) => ipv6.has(subnet)),
      Internal: network.spec.internal,
      Attachable: network.spec.attachable,
      Labels: { [networkLabel]: network.meta.id },
      Options: { [networkIdOption]: network.meta.id },
      IPAM: {
        Driver: 'default',
        Config: ranges.map(({ subnet, gateway }) => ({ Subnet: subnet, Gateway: gateway })),
      },
    }
  },
})

/** Which of the engine's networks are meant, and what it is asked to create for one of the cluster's. */
export interface EngineNetworkKind {
  isDriver(name: string): boolean
  /** What the engine refuses may pass: something of the network that had the name or the subnet before is still ending. */
  readonly mayPass: boolean
  body(network: Network, name: string): Promise<object>
}

/** The engine's own objects for the cluster's networks: there while a container of this host may need them. */
export class EngineNetworks {
  readonly #engine: Engine
  readonly #kind: EngineNetworkKind
  readonly #mutex = new Mutex()

  constructor(engine: Engine, kind: EngineNetworkKind) {
    this.#engine = engine
    this.#kind = kind
  }

  /** By the engine's id, those of this kind. */
  async list(): Promise<Map<string, string>> {
    const found = new Map<string, string>()
    for (const network of await this.#engine.listNetworks([]))
      if (this.#kind.isDriver(network.Driver)) found.set(network.Id, network.Labels?.[networkLabel] ?? '')
    return found
  }

  /**
   * Gives the name that the network has there: its own, unless the engine has a network of its own by that name. One
   * that is left of an earlier network of the cluster goes first.
   */
  ensure(network: Network): Promise<string> {
    return this.#mutex.run(async () => {
      const known = await this.#engine.listNetworks([])
      const mine = known.find(
        ({ Driver, Labels }) => this.#kind.isDriver(Driver) && Labels?.[networkLabel] === network.meta.id,
      )
      if (mine !== undefined) return mine.Name
      const named = known.filter((other) => other.Name === network.spec.name)
      const isTaken = named.some(({ Labels }) => Labels?.[networkLabel] === undefined)
      const name = isTaken ? `${network.spec.name}.${network.meta.id.slice(0, 8)}` : network.spec.name
      try {
        for (const { Id, Labels } of named)
          if (Labels?.[networkLabel] !== undefined) await this.#engine.removeNetwork(Id)
        await this.#engine.createNetwork(await this.#kind.body(network, name))
        return name
      } catch (error) {
        if (this.#kind.mayPass || isMureError(error, 'unavailable', 'timeout'))
          throw new MureError('unavailable', `network ${name} can not be made on this engine yet`, {
            cause: error,
          })
        throw new MureError('invalid', `network ${name} can not be made on this host: ${errorText(error)}`, {
          cause: error,
        })
      }
    })
  }

  /** Whether it is gone: the engine keeps one that somebody is still on. */
  remove(networkId: string): Promise<boolean> {
    return this.#mutex.run(async () => {
      let isGone = true
      for (const network of await this.#onEngine(networkId))
        isGone = (await this.#removed(network.Id)) && isGone
      return isGone
    })
  }

  /**
   * Takes whoever is on the network off it, and removes it: of a host that leaves the cluster. Later the engine could
   * not: it would ask a driver that is gone, and wait for that.
   */
  async evict(networkId: string): Promise<void> {
    await this.#mutex.run(async () => {
      for (const { Id } of await this.#onEngine(networkId)) {
        const { Containers } = await this.#engine.inspectNetwork(Id)
        for (const container of Object.keys(Containers ?? {}))
          await this.#engine.disconnectNetwork(Id, container).catch((error: unknown) => {
            // It ends by itself meanwhile.
            if (!isMureError(error, 'not-found', 'forbidden')) throw error
          })
        await this.#removed(Id)
      }
    })
  }

  async #onEngine(networkId: string): Promise<EngineNetwork[]> {
    const all = await this.#engine.listNetworks([])
    return all.filter(
      ({ Driver, Labels }) => this.#kind.isDriver(Driver) && Labels?.[networkLabel] === networkId,
    )
  }

  async #removed(engineId: string): Promise<boolean> {
    try {
      await this.#engine.removeNetwork(engineId)
    } catch (error) {
      if (isMureError(error, 'forbidden', 'conflict')) return false
      if (!isMureError(error, 'not-found')) throw error
    }
    return true
  }
}
