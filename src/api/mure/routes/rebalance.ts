import { startWait } from '#lib/wait.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const writeTimeoutMs = 30_000

export function registerRebalanceRoutes(router: Router, { node }: MureParts): void {
  router.add('POST', '/mure/v1/rebalance', async (request) => {
    using wait = startWait({
      timeoutMs: writeTimeoutMs,
      signal: request.signal,
      what: 'the store to take the change',
    })
    return ok(await node.control().rebalance({ dryRun: request.query.get('dryRun') === '1', wait }))
  })
}
