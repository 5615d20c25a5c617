import { done } from '../../http/response.ts'
import type { LocalNode } from '../../backend.ts'
import type { RouteTable } from './route-table.ts'
import { present, waitOf } from './support.ts'

/** What has no other action than its removal. */
export function registerObjectRoutes(routes: RouteTable, node: LocalNode): void {
  routes.add('DELETE', '/api/networks/{id}', 'admin', async (request) => {
    const control = node.control()
    using wait = waitOf(request)
    await control.removeNetwork(present(control.view, 'network', request).meta.id, { wait })
    return done(204)
  })
  routes.add('DELETE', '/api/secrets/{id}', 'admin', async (request) => {
    const control = node.control()
    using wait = waitOf(request)
    await control.removeSecret(present(control.view, 'secret', request).meta.id, { wait })
    return done(204)
  })
  routes.add('DELETE', '/api/configs/{id}', 'admin', async (request) => {
    const control = node.control()
    using wait = waitOf(request)
    await control.removeConfig(present(control.view, 'config', request).meta.id, { wait })
    return done(204)
  })
}
