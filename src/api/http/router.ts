import { MureError } from '#lib/errors.ts'
import type { ApiRequest } from './request.ts'
import type { ApiResponse } from './response.ts'

export type Handler = (request: ApiRequest) => Promise<ApiResponse>

export interface RouteOptions {
  /** The API version that brought the endpoint: `1.25`. Older clients are told so. */
  readonly minVersion?: string
  /** It takes the bare connection of clients that ask to leave HTTP behind. Default: it answers them as any other. */
  readonly upgrades?: boolean
}

export interface Route extends RouteOptions {
  readonly method: string
  /** As it was added: `/services/{id}/update`. */
  readonly pattern: string
  readonly handler: Handler
}

/** Routes by method and pattern: `/services/{id}/update`; `{name:.*}` also takes slashes. The first that matches answers. */
export class Router {
  readonly #routes: (Route & { readonly match: PathPattern })[] = []

  add(method: string, pattern: string, handler: Handler, options: RouteOptions = {}): void {
    this.#routes.push({ method, pattern, handler, match: pathPattern(pattern), ...options })
  }

  /** `path` without version and query. */
  find(method: string, path: string): { route: Route; params: Record<string, string> } | undefined {
    for (const route of this.#routes) {
      if (route.method !== method) continue
      const params = route.match(path)
      if (params !== undefined) return { route, params }
    }
    return undefined
  }
}

/** The parameters of a path that fits the pattern, decoded. */
export type PathPattern = (path: string) => Record<string, string> | undefined

export function pathPattern(pattern: string): PathPattern {
  const names: string[] = []
  const source = pattern.replace(/\{(\w+)(:\.\*)?\}/g, (_, name: string, any: string | undefined) => {
    names.push(name)
    return any === undefined ? '([^/]+)' : '(.+)'
  })
  const expression = new RegExp(`^${source}$`)
  return (path) => {
    const match = expression.exec(path)
    if (match === null) return undefined
    return Object.fromEntries(names.map((name, index) => [name, decode(match[index + 1] ?? '')]))
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new MureError('invalid', `invalid URL escape in "${text}"`, { cause: error })
  }
}
