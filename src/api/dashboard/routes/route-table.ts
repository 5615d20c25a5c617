import { Router } from '../../http/router.ts'
import type { ApiRequest } from '../../http/request.ts'
import type { ApiResponse } from '../../http/response.ts'
import { requireRole } from '../auth/access.ts'
import type { Access, Admitted } from '../auth/access.ts'
import type { Role } from '../wire.ts'

type GuardedHandler = (request: ApiRequest, admitted: Admitted) => Promise<ApiResponse>

/** Routes, each with the role that it takes: none is there for somebody who has not logged in, unless it says so. */
export class RouteTable {
  readonly router = new Router()
  readonly #access: Access

  constructor(access: Access) {
    this.#access = access
  }

  add(method: string, pattern: string, role: Role, handler: GuardedHandler): void {
    this.router.add(method, pattern, async (request) => {
      const admitted = await this.#access.admit(request.message)
      requireRole(admitted, role)
      return handler(request, admitted)
    })
  }

  addOpen(method: string, pattern: string, handler: (request: ApiRequest) => Promise<ApiResponse>): void {
    this.router.add(method, pattern, handler)
  }
}
