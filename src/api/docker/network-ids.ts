import type { Engine } from '#engine/engine.ts'
import { asObject, asText } from './adapt/json.ts'
import type { JsonObject } from './adapt/json.ts'
import { isClusterNetwork, networkLabel } from './engine-networks.ts'

/** The cluster's networks as an engine numbers them: the id of its object, and the network's own. */
export type NetworkIds = ReadonlyMap<string, string>

const enginesOwn = new Set(['bridge', 'host', 'none'])

const networksOf = (container: unknown): JsonObject =>
  asObject(asObject(asObject(container)?.['NetworkSettings'])?.['Networks']) ?? {}

/** Whether containers are on networks that may be the cluster's. */
export const areOnNetworks = (containers: readonly unknown[]): boolean =>
  containers.some((container) => Object.keys(networksOf(container)).some((name) => !enginesOwn.has(name)))

export async function networkIdsOf(engine: Engine): Promise<NetworkIds> {
  const networks = await engine.listNetworks([networkLabel])
  return new Map(
    networks.filter(isClusterNetwork).map(({ Id, Labels }) => [Id, Labels?.[networkLabel] ?? Id]),
  )
}

/** A container as an engine shows it, whether alone or in a list, with the cluster's networks by their own ids. */
export function withNetworkIds(container: unknown, ids: NetworkIds): unknown {
  const networks = networksOf(container)
  const changed = Object.entries(networks).map(([name, value]): [string, unknown] => {
    const endpoint = asObject(value)
    const id = ids.get(asText(endpoint?.['NetworkID']))
    return [name, id === undefined ? value : { ...endpoint, NetworkID: id }]
  })
  if (changed.every(([name, value]) => value === networks[name])) return container
  const shown = asObject(container) ?? {}
  return {
    ...shown,
    NetworkSettings: { ...asObject(shown['NetworkSettings']), Networks: Object.fromEntries(changed) },
  }
}
