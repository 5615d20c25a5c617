import type { ApiRequest } from './request.ts'
import type { ApiResponse } from './response.ts'

export type Handler = (request: ApiRequest) => Promise<ApiResponse>

interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly names: readonly string[]
  readonly handler: Handler
}

/** Routes by method and pattern: `/services/{id}/update`. The first that matches answers. */
export class Router {
  readonly #routes: Route[] = []

  add(method: string, pattern: string, handler: Handler): void {
    const names: string[] = []
    const source = pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
      names.push(name)
      return '([^/]+)'
    })
    this.#routes.push({ method, pattern: new RegExp(`^${source}$`), names, handler })
  }

  /** `path` without version and query. */
  find(method: string, path: string): { handler: Handler; params: Record<string, string> } | undefined {
    for (const route of this.#routes) {
      if (route.method !== method) continue
      const match = route.pattern.exec(path)
      if (match === null) continue
      const params: Record<string, string> = {}
      for (const [index, name] of route.names.entries())
        params[name] = decodeURIComponent(match[index + 1] ?? '')
      return { handler: route.handler, params }
    }
    return undefined
  }
}
