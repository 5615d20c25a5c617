import { readText } from '#engine/transport.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import { parseJson } from '#lib/lossless-json.ts'
import { startWait } from '#lib/wait.ts'
import type { ApiRequest } from '../../http/request.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { withDnsNames } from '../adapt/endpoints.ts'
import { asObject } from '../adapt/json.ts'
import { attachToClusterNetworks } from '../attach-containers.ts'
import type { FacadeParts } from '../facade.ts'
import { containerFilters } from '../container-filters.ts'
import { areOnNetworks, networkIdsOf, withNetworkIds } from '../network-ids.ts'
import type { NetworkIds } from '../network-ids.ts'
import { isOlder } from '../versions.ts'

/** Hundreds may ask at once, and a host makes ready one after the other. */
const attachTimeoutMs = 60_000

/** Plain containers are the engine's; those on a network of the cluster get their place there first. */
export function registerContainerRoutes(router: Router, parts: FacadeParts): void {
  router.add('GET', '/containers/json', (request) => shown(parts, request))
  router.add('GET', '/containers/{id}/json', (request) => shown(parts, request))

  router.add('POST', '/containers/create', async (request) => {
    const body = asObject(await request.json())
    if (body === undefined) return parts.forward(request)
    using wait = startWait({
      timeoutMs: attachTimeoutMs,
      signal: request.signal,
      what: 'an address on the network',
    })
    const name = request.query.get('name') ?? ''
    const giveBack = await attachToClusterNetworks(body, name, parts.node, wait)
    const answer = await parts.forward(request, body).catch(async (error: unknown) => {
      await giveBack()
      throw error
    })
    const status = answer === 'streamed' ? request.response.statusCode : answer.status
    if (status >= 300) await giveBack()
    return answer
  })
}

const noIds: NetworkIds = new Map()

/** What the engine says of containers, with the ids of the cluster's networks in place of its own for them. */
async function shown(parts: FacadeParts, request: ApiRequest): Promise<ApiResponse> {
  const { engine, passthrough } = await parts.behind(request)
  const [path = '/'] = (request.message.url ?? '').split('?')
  const query = new URLSearchParams(request.query)
  const filters = await containerFilters(query.get('filters') ?? '', engine)
  if (filters.text !== '') query.set('filters', filters.text)
  const asked = query.size === 0 ? path : `${path}?${query.toString()}`
  const call = { method: 'GET', path: passthrough.enginePath(asked), signal: request.signal }
  const answer = await engine.raw(call).catch((error: unknown) => {
    if (!isMureError(error, 'unavailable')) throw error
    passthrough.lostContact(error)
    throw new MureError('unavailable', passthrough.unreachable, { cause: error })
  })
  const status = answer.statusCode ?? 500
  const text = await readText(answer)
  // To clients of old versions the engine refuses in plain text.
  if (status !== 200)
    return { status, json: text.startsWith('{') ? parseJson(text) : { message: text.trim() } }
  const json = parseJson(text)
  const containers = Array.isArray(json)
    ? (json as unknown[]).filter((container) => filters.passes(container))
    : [json]
  const ids = areOnNetworks(containers) ? await networkIdsOf(engine) : noIds
  const changed = containers.map((container) => withNetworkIds(container, ids))
  if (Array.isArray(json)) return { status, json: changed }
  const isNewer = isOlder(parts.facts.apiVersion, '1.45') && !isOlder(request.version, '1.45')
  return { status, json: isNewer ? withDnsNames(changed[0]) : changed[0] }
}
