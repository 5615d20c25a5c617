import { createHash } from 'node:crypto'
import { defined } from '#lib/defined.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import { stringifyJson } from '#lib/lossless-json.ts'
import type { View } from '#manager/control/control.ts'
import { grpcText } from '#manager/control/grpc-text.ts'
import { cniDriver } from '#model/cni.ts'
import { isHostsOwn, isNodeLocal } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import { readText } from '#engine/transport.ts'
import type { EngineNetwork } from '#engine/types.ts'
import { created, ok } from '../../http/response.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { hostsOwnResource, networkResourceFromModel, networkSpecToModel } from '../convert/network.ts'
import { peersOf, servicesOf } from '../convert/network-details.ts'
import { Fields, omitEmpty } from '../convert/fields.ts'
import {
  asClusterNetwork,
  clusterNetworkOnEngine,
  isClusterNetwork,
  networkLabel,
} from '../engine-networks.ts'
import type { FacadeParts } from '../facade.ts'
import { find } from '../find.ts'
import { isOlder } from '../versions.ts'
import { registerNetworkConnectionRoutes } from './network-connections.ts'
import { networkFilter, pruneFilter } from './network-filters.ts'
import { bodyOf, parsedFlagOf, waitOf } from './support.ts'

/** The cluster's networks beside the engine's own. */
export function registerNetworkRoutes(router: Router, parts: FacadeParts): void {
  const { node, engine } = parts

  router.add('GET', '/networks', async (request) => {
    const answer = await askEngine(parts, 'GET', request.message.url ?? '')
    if (answer.status !== 200) return { status: answer.status, json: answer.json }
    const own = (answer.json as EngineNetwork[]).filter((network) => !isClusterNetwork(network))
    const passes = networkFilter(request.query.get('filters'))
    const view = viewOf(parts)
    // A worker knows of the cluster's networks what its engine does.
    const clusters =
      view === undefined
        ? (await engine.listNetworks([networkLabel])).map(asClusterNetwork)
        : [...view.list('network')].map(networkResourceFromModel)
    return ok([...clusters.filter(passes), ...own])
  })

  router.add('GET', '/networks/{id}', async (request) => {
    const wanted = request.params['id'] ?? ''
    const isVerbose = parsedFlagOf(request, 'verbose')
    const scope = request.query.get('scope') ?? ''
    const view = viewOf(parts)
    const ambiguous = (matches: string) => `${matches}: network ${wanted} is ambiguous`
    const network = scope === 'local' ? undefined : await findUnique(parts, view, wanted, scope, ambiguous)
    if (network !== undefined && view !== undefined)
      return ok(await inspected(parts, view, network, isVerbose))
    if (scope === 'swarm' && view !== undefined && isHostsOwn(wanted)) return ok(hostsOwnResource(wanted))
    const onEngine = await clusterNetworkOnEngine(engine, wanted)
    if (onEngine === undefined && scope !== 'swarm') return parts.forward(request)
    if (onEngine === undefined || scope === 'local' || view !== undefined) throw notFound(wanted)
    return ok(asClusterNetwork(await engine.inspectNetwork(onEngine.Id)))
  })

  router.add('POST', '/networks/create', async (request) => {
    const body = await bodyOf(request)
    const from = new Fields(body, 'NetworkCreateRequest')
    // Since 1.44 a name must be free in any case.
    const mustBeFree = from.boolean('CheckDuplicate') === true || !isOlder(request.version, '1.44')
    refuseTaken(viewOf(parts), from.string('Name') ?? '')
    const driver = from.string('Driver')
    const isOfCluster = driver === 'overlay' || driver === cniDriver || from.string('Scope') === 'swarm'
    if (!isOfCluster && viewOf(parts) !== undefined && !enginesDrivers.has(driver ?? ''))
      return createOfPlugin(parts, request.message.url ?? '', body, driver ?? '')
    if (!isOfCluster || from.boolean('ConfigOnly') === true) return parts.forward(request, body)
    if (driver === 'overlay' && from.string('Scope') === 'local')
      throw new MureError('forbidden', 'cannot downgrade network scope for overlay networks')
    if (mustBeFree) await refuseLocal(parts, from.string('Name') ?? '')
    const spec = networkSpecToModel(body)
    using wait = waitOf(request)
    const network = await node.control().createNetwork(spec, { wait })
    return created({ Id: network.meta.id, Warning: '' })
  })

  router.add('DELETE', '/networks/{id}', async (request) => {
    const wanted = request.params['id'] ?? ''
    const view = viewOf(parts)
    const ambiguous = (matches: string) => `network ${wanted} is ambiguous (${matches})`
    const network = await findUnique(parts, view, wanted, '', ambiguous)
    if (network !== undefined) {
      using wait = waitOf(request)
      await node.control().removeNetwork(network.meta.id, { wait })
      return { status: 204 }
    }
    // The engine's object is not a worker's to remove.
    if (view === undefined && (await clusterNetworkOnEngine(engine, wanted)) !== undefined) node.control()
    return parts.forward(request)
  })

  router.add('POST', '/networks/prune', async (request) => {
    const { own, passes } = pruneFilter(request.query.get('filters'))
    const answer = await askEngine(parts, 'POST', `/networks/prune?filters=${encodeURIComponent(own)}`)
    if (answer.status !== 200) return { status: answer.status, json: answer.json }
    const deleted = (answer.json as { NetworksDeleted: string[] | null }).NetworksDeleted ?? []
    for (const network of viewOf(parts)?.list('network') ?? []) {
      if (network.spec.ingress || !passes(network)) continue
      using wait = waitOf(request)
      try {
        await node.control().removeNetwork(network.meta.id, { wait })
        deleted.push(network.spec.name)
      } catch (error) {
        // In use, or gone meanwhile.
        if (!isMureError(error, 'precondition', 'not-found')) throw error
      }
    }
    return ok({ NetworksDeleted: deleted.length === 0 ? null : deleted })
  })

  registerNetworkConnectionRoutes(router, parts)
}

/** The engine's and the cluster's networks have one space of names; on a manager Docker looks there first. */
function refuseTaken(view: View | undefined, name: string): void {
  if (view === undefined) return
  if (view.byName('network', name) === undefined && !['bridge', 'host', 'none'].includes(name)) return
  throw new MureError('already-exists', `network with name ${name} already exists`)
}

/** This host's engine has a network of its own by that name. */
async function refuseLocal({ engine }: FacadeParts, name: string): Promise<void> {
  const networks = await engine.listNetworks([])
  if (!networks.some((network) => network.Name === name && !isClusterNetwork(network))) return
  throw new MureError('already-exists', `network with name ${name} already exists`)
}

/** What is on this host of the network is as the engine shows it: its containers. */
async function inspected(
  { engine }: FacadeParts,
  view: View,
  network: Network,
  isVerbose: boolean,
): Promise<object> {
  const onEngine = (await engine.listNetworks([`${networkLabel}=${network.meta.id}`]))[0]
  const local = onEngine === undefined ? undefined : await engine.inspectNetwork(onEngine.Id)
  const here = Object.entries(local?.Containers ?? {})
  const endpointIds = new Map(
    here.map(([, { IPv4Address = '', EndpointID }]) => [IPv4Address.split('/')[0] ?? '', EndpointID]),
  )
  return {
    ...networkResourceFromModel(network),
    ...(local === undefined
      ? {}
      : isNodeLocal(network)
        ? {
            EnableIPv6: local.EnableIPv6,
            IPAM: local.IPAM,
            Options: local.Options,
            Containers: local.Containers,
          }
        : { Containers: withBalancer(network, local.Containers ?? {}), Peers: peersOf(view, network) }),
    ...(isVerbose
      ? defined({
          Services: omitEmpty(
            servicesOf(
              view,
              network,
              (task, address) => endpointIds.get(address) ?? endpointId(network, task.meta.id),
            ),
          ),
        })
      : {}),
  }
}

/** As long as an engine's own ids, and the same each time. */
const endpointId = (network: Network, of: string): string =>
  createHash('sha256').update(`${of}/${network.meta.id}`).digest('hex')

/**
 * Docker shows what spreads a host's connections over the tasks of services as one more end, and clients count on it.
 * Here it is rules in each container's namespace, which have no address.
 */
function withBalancer(network: Network, containers: object): object {
  if (Object.keys(containers).length === 0 || network.spec.ingress) return containers
  const { name } = network.spec
  const EndpointID = endpointId(network, `lb-${name}`)
  const end = { Name: `${name}-endpoint`, EndpointID, MacAddress: '', IPv4Address: '', IPv6Address: '' }
  return { ...containers, [`lb-${name}`]: end }
}

/**
 * The network of the cluster that is meant. An id is exact; a name may be the engine's as well, which each of Docker's
 * endpoints says in words of its own.
 */
async function findUnique(
  { engine }: FacadeParts,
  view: View | undefined,
  wanted: string,
  scope: string,
  inWords: (matches: string) => string,
): Promise<Network | undefined> {
  const network = findNetwork(view, wanted)
  if (network === undefined || network.meta.id === wanted || scope === 'swarm') return network
  const own = (await engine.listNetworks([])).filter(
    (other) => !isClusterNetwork(other) && (other.Name === wanted || other.Id === wanted),
  )
  if (own.some(({ Id }) => Id === wanted)) return undefined
  if (network.spec.name !== wanted || own.length === 0) return own.length === 0 ? network : undefined
  throw new MureError('invalid', inWords(`${String(own.length + 1)} matches found based on name`))
}

const notFound = (wanted: string) => new MureError('not-found', `network ${wanted} not found`)

/** What no plugin has a driver's name for. */
const enginesDrivers = new Set(['', 'bridge', 'host', 'ipvlan', 'macvlan', 'none', 'null'])

/** An engine beside a swarm leaves what spans hosts to that; plugins that could are not asked here, as in Docker's. */
async function createOfPlugin(
  parts: FacadeParts,
  url: string,
  body: unknown,
  driver: string,
): Promise<ApiResponse> {
  const answer = await askEngine(parts, 'POST', url, body)
  if (answer.status !== 503) return { status: answer.status, json: answer.json }
  const text = `legacy plugin ${driver} of type NetworkDriver is not supported in swarm mode`
  throw new MureError('invalid', grpcText('InvalidArgument', text))
}

async function askEngine(
  { engine, passthrough }: FacadeParts,
  method: string,
  url: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const sent =
    body === undefined ? {} : { headers: { 'Content-Type': 'application/json' }, body: stringifyJson(body) }
  const response = await engine.raw({ method, path: passthrough.enginePath(url), ...sent })
  return { status: response.statusCode ?? 500, json: JSON.parse(await readText(response)) as unknown }
}

/** Undefined where this node is not a manager: then there are only the engine's networks. */
function viewOf({ node }: FacadeParts): View | undefined {
  try {
    return node.control().view
  } catch (error) {
    if (isMureError(error, 'unavailable')) return undefined
    throw error
  }
}

function findNetwork(view: View | undefined, wanted: string): Network | undefined {
  if (view === undefined) return undefined
  try {
    return find(view, 'network', wanted)
  } catch (error) {
    if (isMureError(error, 'not-found')) return undefined
    throw error
  }
}
