import type { NodeSpec } from '#model/node.ts'
import type { ApiRequest } from '../../http/request.ts'
import { done } from '../../http/response.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { LocalNode } from '../../backend.ts'
import type { RouteTable } from './route-table.ts'
import { bodyOf, oneOf, present, waitOf } from './support.ts'

export function registerNodeRoutes(routes: RouteTable, node: LocalNode): void {
  const change =
    (edit: (spec: NodeSpec, request: ApiRequest) => Promise<NodeSpec>) =>
    async (request: ApiRequest): Promise<ApiResponse> => {
      const control = node.control()
      const { meta, spec } = present(control.view, 'node', request)
      const next = await edit(spec, request)
      using wait = waitOf(request)
      await control.updateNode(meta.id, meta.version, next, { wait })
      return done(204)
    }

  routes.add(
    'POST',
    '/api/nodes/{id}/availability',
    'admin',
    change(async (spec, request) => ({
      ...spec,
      availability: oneOf(await bodyOf(request), 'availability', ['active', 'pause', 'drain']),
    })),
  )
  routes.add(
    'POST',
    '/api/nodes/{id}/role',
    'admin',
    change(async (spec, request) => ({
      ...spec,
      role: oneOf(await bodyOf(request), 'role', ['manager', 'worker']),
    })),
  )

  routes.add('DELETE', '/api/nodes/{id}', 'admin', async (request) => {
    const control = node.control()
    using wait = waitOf(request)
    await control.removeNode(present(control.view, 'node', request).meta.id, false, { wait })
    return done(204)
  })
}
