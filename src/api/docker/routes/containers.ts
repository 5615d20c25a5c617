import { startWait } from '#lib/wait.ts'
import type { Router } from '../../http/router.ts'
import { asObject } from '../adapt/json.ts'
import { attachToClusterNetworks } from '../attach-containers.ts'
import type { FacadeParts } from '../facade.ts'

const attachTimeoutMs = 15_000

/** Plain containers are the engine's; those on a network of the cluster get their place there first. */
export function registerContainerRoutes(router: Router, parts: FacadeParts): void {
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
    const answer = await parts.forward(request, body)
    const status = answer === 'streamed' ? request.response.statusCode : answer.status
    if (status >= 300) await giveBack()
    return answer
  })
}
