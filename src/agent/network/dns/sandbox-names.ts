import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { Askers } from '../cni/askers.ts'
import type { DataPlaneState } from '../data-plane-state.ts'
import type { KnownNetworks } from '../known-networks.ts'
import type { LocalEndpoint, Sandboxes } from '../sandboxes.ts'
import { answer } from './answer.ts'
import type { Edition } from './edition.ts'
import { hostResolvers } from './host-resolvers.ts'
import { listenForNames } from './nameserver.ts'
import { OwnResolvers } from './own-resolvers.ts'
import { Upstream } from './upstream.ts'

export interface SandboxNamesParts {
  readonly engine: Engine
  readonly state: DataPlaneState
  readonly networks: KnownNetworks
  readonly sandboxes: Sandboxes
  /** Advanced by each of the three. */
  readonly edition: Edition
  readonly random: Random
  readonly clock: Clock
  readonly logger: Logger
}

/** The name server of this host's sandboxes: each is answered the names of its own networks, and those of the world. */
export async function serveSandboxNames(
  parts: SandboxNamesParts,
): Promise<{ readonly address: string } & AsyncDisposable> {
  const { engine, state, networks, sandboxes, edition, random, clock, logger } = parts
  const askers = new Askers(sandboxes, (networkId) => networks.isCni(networkId))
  const upstream = new Upstream({ servers: hostResolvers, clock })
  const own = new OwnResolvers(engine, () => server.address)
  const namesOf = (endpoint: LocalEndpoint) =>
    new Map([...sandboxes.networksBeside(endpoint)].map((id) => [id, networks.get(id)?.spec.name ?? '']))
  const server = await listenForNames({
    upstream: {
      ask: async (message, from, protocol) => {
        const endpoint = sandboxes.byAddress(from)
        if (endpoint !== undefined && (await own.has(endpoint)))
          throw new MureError('unavailable', 'the container has name servers of its own')
        return upstream.ask(message, from, protocol)
      },
    },
    logger,
    edition,
    random,
    find: (from) => askers.find(from),
    resolve: (query, from, limit) => {
      const endpoint = sandboxes.byAddress(from)
      if (endpoint === undefined) return 'unknown'
      return answer(query, { networks: namesOf(endpoint) }, state, random, limit)
    },
  })
  return server
}
