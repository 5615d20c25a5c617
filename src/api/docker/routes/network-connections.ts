import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { asObject, asText } from '../adapt/json.ts'
import type { JsonObject } from '../adapt/json.ts'
import type { Router } from '../../http/router.ts'
import { connectToClusterNetwork, inspect, releasePlaces } from '../attach-containers.ts'
import { clusterNetworkOnEngine, networkLabel } from '../engine-networks.ts'
import type { FacadeParts } from '../facade.ts'

/** Hundreds may ask at once, and a host makes ready one after the other. */
const attachTimeoutMs = 60_000

/** `docker network connect` and `disconnect` of this host's containers. */
export function registerNetworkConnectionRoutes(router: Router, parts: FacadeParts): void {
  const { node, engine } = parts

  router.add('POST', '/networks/{id}/connect', async (request) => {
    const body = asObject(await request.json())
    if (body === undefined) return parts.forward(request)
    refuseNameless(body)
    using wait = startWait({
      timeoutMs: attachTimeoutMs,
      signal: request.signal,
      what: 'an address on the network',
    })
    const call = {
      network: request.params['id'] ?? '',
      container: asText(body['Container']),
      endpoint: asObject(body['EndpointConfig']),
    }
    const isConnected = await connectToClusterNetwork(parts, call, wait)
    return isConnected ? { status: 200 } : parts.forward(request, body)
  })

  router.add('POST', '/networks/{id}/disconnect', async (request) => {
    const body = asObject(await request.json())
    if (body === undefined) return parts.forward(request)
    refuseNameless(body)
    const network = await clusterNetworkOnEngine(engine, request.params['id'] ?? '')
    const container = await inspect(engine, asText(body['Container']))
    if (network === undefined || container === undefined) return parts.forward(request, body)
    const force = body['Force'] === true
    await engine.disconnectNetwork(network.Id, container.Id, { signal: request.signal, force })
    await releasePlaces(node, container, network.Labels?.[networkLabel] ?? '')
    return { status: 200 }
  })
}

/** Before an engine is asked for a container without a name, which it would take for another question. */
function refuseNameless({ Container }: JsonObject): void {
  if (Container === undefined || Container === null || Container === '')
    throw new MureError('invalid', 'invalid name or ID supplied: ""')
}
