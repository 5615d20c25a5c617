import type { Engine } from '#engine/engine.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import { nodeLocalDrivers } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import { EngineNetworks, networkLabel } from './engine-networks.ts'
import type { EngineNetworkKind } from './engine-networks.ts'

/** Between the making of a network and the container that it is made for. */
const freshMs = 5_000

/**
 * The cluster's networks that each host has by itself: made on this host's engine with the first task that is on one,
 * and removed when nothing that was handed to this host refers to it any more.
 */
export class NodeLocalNetworks {
  readonly #onEngine: EngineNetworks
  /** By the network's id: when somebody last wanted it. */
  readonly #made = new Map<string, number>()

  constructor(engine: Engine) {
    this.#onEngine = new EngineNetworks(engine, nodeLocalNetworks(engine))
  }

  /** The name of the engine's network for a container that is about to be made. */
  ensure(network: Network): Promise<string> {
    this.#made.set(network.meta.id, performance.now())
    return this.#onEngine.ensure(network)
  }

  /** What the engine has from before this process. */
  async adopt(): Promise<void> {
    for (const id of (await this.#onEngine.list()).values())
      if (id !== '' && !this.#made.has(id)) this.#made.set(id, -Infinity)
  }

  /** One that a container still runs on is kept by the engine, until the next call. */
  async removeUnused(isUsed: (networkId: string) => boolean): Promise<void> {
    for (const [id, wantedAt] of [...this.#made])
      if (!isUsed(id) && performance.now() - wantedAt >= freshMs && (await this.#onEngine.remove(id)))
        this.#made.delete(id)
  }

  /** Leaving the cluster: whoever is on one is taken off it. */
  async removeAll(): Promise<void> {
    await this.adopt()
    for (const id of this.#made.keys()) await this.#onEngine.evict(id)
    this.#made.clear()
  }
}

const nodeLocalNetworks = (engine: Engine): EngineNetworkKind => ({
  isDriver: (name) => nodeLocalDrivers.some((driver) => driver === name),
  mayPass: false,
  async body(network, name) {
    const { driver, ipam, ipv6, labels, ...spec } = network.spec
    const settings: Settings =
      spec.configFrom === undefined
        ? {
            EnableIPv6: ipv6,
            Internal: spec.internal,
            Options: driver.options ?? {},
            IPAM: {
              Driver: ipam.driver.name,
              Options: ipam.driver.options,
              Config: ipam.ranges.map(({ subnet, range, gateway, auxiliary }) => ({
                Subnet: subnet,
                IPRange: range,
                Gateway: gateway,
                AuxiliaryAddresses: auxiliary,
              })),
            },
          }
        : await settingsOf(engine, spec.configFrom)
    return {
      ...settings,
      Name: name,
      CheckDuplicate: true,
      Driver: driver.name,
      Attachable: spec.attachable,
      Labels: { ...settings.Labels, ...labels, [networkLabel]: network.meta.id },
    }
  },
})

/** What of a network is the same whether it was asked for with the network or under a name of its own. */
interface Settings {
  readonly EnableIPv6: boolean
  readonly Internal: boolean
  readonly Options: Readonly<Record<string, string>>
  readonly IPAM: object
  readonly Labels?: Readonly<Record<string, string>>
}

/**
 * What this host's engine has under `--config-only`. Its settings are copied: an engine that is told to take them from
 * there takes no label besides, and the label is how the network is found again.
 */
async function settingsOf(engine: Engine, name: string): Promise<Settings> {
  try {
    const found = await engine.inspectNetwork(name)
    const { ConfigOnly, EnableIPv6 = false, Internal = false, Options, IPAM, Labels } = found
    if (ConfigOnly === true)
      return { EnableIPv6, Internal, Options: Options ?? {}, IPAM, Labels: Labels ?? {} }
  } catch (error) {
    if (!isMureError(error, 'not-found')) throw error
  }
  throw new MureError(
    'invalid',
    `could not find a network for configuration by the name ${name} on this host`,
  )
}
