import { isMureError } from '#lib/errors.ts'
import type { View } from '#manager/control/control.ts'
import type { Network } from '#model/network.ts'
import { readText } from '#engine/transport.ts'
import type { EngineNetwork } from '#engine/types.ts'
import type { ApiRequest } from '../../http/request.ts'
import { created, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { networkResourceFromModel, networkSpecToModel } from '../convert/network.ts'
import { Fields } from '../convert/fields.ts'
import type { FacadeParts } from '../facade.ts'
import { find } from '../find.ts'
import { bodyOf, waitOf } from './support.ts'

/** The cluster's networks beside the engine's own. */
export function registerNetworkRoutes(router: Router, parts: FacadeParts): void {
  const { node, engine, passthrough } = parts

  router.add('GET', '/networks', async (request) => {
    const response = await engine.raw({
      method: 'GET',
      path: passthrough.enginePath(request.message.url ?? ''),
    })
    const text = await readText(response)
    if (response.statusCode !== 200)
      return { status: response.statusCode ?? 500, json: JSON.parse(text) as unknown }
    const view = viewOf(parts)
    const own = JSON.parse(text) as EngineNetwork[]
    // The engine's objects for the cluster's networks are those networks: here as the cluster knows them, or, on a
    // worker, as the engine does.
    const local =
      view === undefined
        ? own.map(asSwarmNetwork)
        : own.filter(({ Labels }) => Labels?.[networkLabel] === undefined)
    return ok([...local, ...filtered(view, request).map(networkResourceFromModel)])
  })

  router.add('GET', '/networks/{id}', async (request) => {
    const network = findNetwork(viewOf(parts), request.params['id'] ?? '')
    if (network !== undefined && request.query.get('scope') !== 'local')
      return ok(networkResourceFromModel(network))
    return parts.forward(request)
  })

  router.add('POST', '/networks/create', async (request) => {
    const body = await bodyOf(request)
    const from = new Fields(body, 'NetworkCreate')
    if (from.string('Driver') !== 'overlay' && from.string('Scope') !== 'swarm')
      return parts.forward(request, body)
    const spec = networkSpecToModel(body)
    using wait = waitOf(request)
    const network = await node.control().createNetwork(spec, { wait })
    return created({ Id: network.meta.id, Warning: '' })
  })

  router.add('DELETE', '/networks/{id}', async (request) => {
    const network = findNetwork(viewOf(parts), request.params['id'] ?? '')
    if (network === undefined) return parts.forward(request)
    using wait = waitOf(request)
    await node.control().removeNetwork(network.meta.id, { wait })
    return { status: 204 }
  })
}

/** The label of the engine's objects for the cluster's networks; its value is the network's id. */
const networkLabel = 'mure.network.id'

function asSwarmNetwork(network: EngineNetwork): object {
  const id = network.Labels?.[networkLabel]
  if (id === undefined) return network
  const { [networkLabel]: _, ...Labels } = network.Labels ?? {}
  return { ...network, Id: id, Driver: 'overlay', Scope: 'swarm', Labels }
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

function filtered(view: View | undefined, request: ApiRequest): Network[] {
  if (view === undefined) return []
  const text = request.query.get('filters') ?? ''
  const filters = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  const values = (name: string): string[] => {
    const value = filters[name]
    if (Array.isArray(value)) return value.map(String)
    return typeof value === 'object' && value !== null ? Object.keys(value) : []
  }
  const any = (name: string, test: (value: string) => boolean) => {
    const wanted = values(name)
    return wanted.length === 0 || wanted.some(test)
  }
  return [...view.list('network')].filter(
    (network) =>
      any('name', (name) => network.spec.name.includes(name)) &&
      any('id', (id) => network.meta.id.startsWith(id)) &&
      any('driver', (driver) => network.spec.driver.name === driver) &&
      any('scope', (scope) => scope === 'swarm') &&
      any('type', (type) => (type === 'custom') !== network.spec.ingress) &&
      any('label', (label) => {
        const at = label.indexOf('=')
        return at < 0
          ? label in network.spec.labels
          : network.spec.labels[label.slice(0, at)] === label.slice(at + 1)
      }),
  )
}
