import type { Engine } from '#engine/engine.ts'
import type { LocalEndpoint } from './sandboxes.ts'

/** The ends of our networks in containers that run already, as the engine knows them. `own`: its networks, and which of ours each is. */
export async function runningEndpoints(
  engine: Engine,
  own: ReadonlyMap<string, string>,
): Promise<LocalEndpoint[]> {
  const found: LocalEndpoint[] = []
  for (const { Id, State } of own.size === 0 ? [] : await engine.listContainers([])) {
    if (State !== 'running') continue
    const { NetworkSettings: settings } = await engine.inspectContainer(Id)
    for (const end of Object.values(settings.Networks ?? {})) {
      const networkId = own.get(end.NetworkID)
      if (networkId === undefined || end.EndpointID === '') continue
      found.push({
        endpointId: end.EndpointID,
        networkId,
        address: end.IPAddress,
        address6: end.GlobalIPv6Address,
        sandbox: settings.SandboxKey ?? '',
      })
    }
  }
  return found
}
