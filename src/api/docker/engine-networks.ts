import type { Engine } from '#engine/engine.ts'
import type { EngineNetwork } from '#engine/types.ts'
import { nodeLocalDrivers } from '#model/network.ts'

/** The label of the engine's objects for the cluster's networks; its value is the network's id. */
export const networkLabel = 'mure.network.id'

export const isClusterNetwork = ({ Labels }: EngineNetwork): boolean => Labels?.[networkLabel] !== undefined

/** The engine's object for a network of the cluster as the network itself, as far as the engine knows it. */
export function asClusterNetwork(network: EngineNetwork): EngineNetwork {
  const { [networkLabel]: id, ...Labels } = network.Labels ?? {}
  if (id === undefined) return network
  const Driver = nodeLocalDrivers.some((driver) => driver === network.Driver) ? network.Driver : 'overlay'
  return { ...network, Id: id, Driver, Scope: 'swarm', Labels }
}

/** The engine's object for the network of the cluster that a person names: by name, id, or the beginning of an id. */
export async function clusterNetworkOnEngine(
  engine: Engine,
  wanted: string,
): Promise<EngineNetwork | undefined> {
  const ours = await engine.listNetworks([networkLabel])
  const idOf = ({ Labels }: EngineNetwork): string => Labels?.[networkLabel] ?? ''
  return (
    ours.find((network) => idOf(network) === wanted || network.Id === wanted) ??
    ours.find((network) => network.Name === wanted) ??
    ours.find((network) => wanted !== '' && idOf(network).startsWith(wanted))
  )
}
