import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

export function registerExplainRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/explain/{wanted:.*}', async ({ params }) =>
    ok(node.control().explain(params['wanted'] ?? '')),
  )
}
