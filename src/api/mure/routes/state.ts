import { publicState } from '#manager/control/public-state.ts'
import { ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

/** The cluster as it is, for programs that reckon with it. Nothing secret is in it. */
export function registerStateRoutes(router: Router, { node }: MureParts): void {
  router.add('GET', '/mure/v1/state', async () => {
    const { view } = node.control()
    return ok({ revision: view.revision, objects: publicState(view) })
  })
}
