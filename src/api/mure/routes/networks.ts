import { startWait } from '#lib/wait.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const examinationMs = 60_000

export function registerNetworkRoutes(router: Router, { node }: MureParts): void {
  router.add('POST', '/mure/v1/networks/examine', async (request) => {
    using wait = startWait({
      timeoutMs: examinationMs,
      signal: request.signal,
      what: 'the hosts to be examined',
    })
    const repair = request.query.get('repair') === 'true'
    return ok(await node.control().examineNetworks({ repair, wait }))
  })
}
