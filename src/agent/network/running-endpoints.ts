import type { Engine } from '#engine/engine.ts'
import type { ContainerInspect } from '#engine/types.ts'
import { isMureError } from '#lib/errors.ts'
import type { LocalEndpoint } from './sandboxes.ts'

/**
 * Containers that are being started are looked at as well: the engine answers when that is over, and may have asked
 * for their ends before this process was there.
 */
const mayHaveEnds: ReadonlySet<string> = new Set(['running', 'created', 'restarting', 'paused'])

/** The ends of our networks in this host's containers, as the engine knows them. `own`: its networks, and which of ours each is. */
export async function runningEndpoints(
  engine: Pick<Engine, 'listContainers' | 'inspectContainer'>,
  own: ReadonlyMap<string, string>,
): Promise<LocalEndpoint[]> {
  const listed = own.size === 0 ? [] : await engine.listContainers([])
  const candidates = listed.filter(({ State }) => mayHaveEnds.has(State))
  const found = await Promise.all(candidates.map(({ Id }) => endpointsOf(engine, Id, own)))
  return found.flat()
}

async function endpointsOf(
  engine: Pick<Engine, 'inspectContainer'>,
  id: string,
  own: ReadonlyMap<string, string>,
): Promise<LocalEndpoint[]> {
  const container = await inspected(engine, id)
  if (container === undefined || !container.State.Running) return []
  const { Networks, SandboxKey } = container.NetworkSettings
  return Object.values(Networks ?? {}).flatMap((end) => {
    const networkId = own.get(end.NetworkID)
    if (networkId === undefined || end.EndpointID === '') return []
    return [
      {
        endpointId: end.EndpointID,
        networkId,
        address: end.IPAddress,
        address6: end.GlobalIPv6Address,
        sandbox: SandboxKey ?? '',
      },
    ]
  })
}

/** Undefined: it has gone since it was listed. */
async function inspected(
  engine: Pick<Engine, 'inspectContainer'>,
  id: string,
): Promise<ContainerInspect | undefined> {
  try {
    return await engine.inspectContainer(id)
  } catch (error) {
    if (isMureError(error, 'not-found')) return undefined
    throw error
  }
}
