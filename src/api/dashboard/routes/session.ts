import { ok } from '../../http/response.ts'
import { refuseCrossSite } from '../auth/access.ts'
import type { Access, Admitted } from '../auth/access.ts'
import type { SessionAnswer } from '../wire.ts'
import type { LocalNode } from '../../backend.ts'
import type { RouteTable } from './route-table.ts'
import { bodyOf, textIn } from './support.ts'

export function registerSessionRoutes(routes: RouteTable, access: Access, node: LocalNode): void {
  const answer = ({ session, csrf }: Admitted): SessionAnswer => ({
    role: session.role,
    csrf,
    expiresAt: session.expiresAt,
    manager: node.info().nodeId,
  })

  routes.addOpen('POST', '/api/login', async (request) => {
    refuseCrossSite(request.message)
    const token = textIn(await bodyOf(request), 'token')
    const admitted = await access.login(token, request.message.socket.remoteAddress ?? '')
    return { status: 200, headers: { 'Set-Cookie': admitted.cookie }, json: answer(admitted) }
  })

  routes.add('GET', '/api/session', 'read-only', (_request, admitted) =>
    Promise.resolve(ok(answer(admitted))),
  )

  routes.add('POST', '/api/logout', 'read-only', () =>
    Promise.resolve({ status: 204, headers: { 'Set-Cookie': access.farewell } }),
  )
}
