import { pathPattern } from '../http/router.ts'
import type { PathPattern } from '../http/router.ts'

/**
 * Calls that carry archives, up to many gigabytes, in one direction or the other. Where one is the first call of a
 * connection its bytes go past HTTP's framing: that takes a third of the processor time, which is what the engine
 * and its client lack meanwhile (measured: bench/facade-passthrough.ts).
 */
const bulk: readonly { method: string; match: PathPattern; query?: RegExp }[] = [
  { method: 'POST', match: pathPattern('/images/load') },
  { method: 'POST', match: pathPattern('/images/create'), query: /(^|&)fromSrc=/ },
  { method: 'POST', match: pathPattern('/build') },
  { method: 'GET', match: pathPattern('/images/get') },
  { method: 'GET', match: pathPattern('/images/{name:.*}/get') },
  { method: 'GET', match: pathPattern('/containers/{id}/export') },
  { method: 'GET', match: pathPattern('/containers/{id}/archive') },
  { method: 'PUT', match: pathPattern('/containers/{id}/archive') },
]

/** `path` without version and query. Throws `invalid` for a path whose escapes are none. */
export const isBulk = (method: string, path: string, query: string): boolean =>
  bulk.some(
    (call) => call.method === method && call.match(path) !== undefined && (call.query?.test(query) ?? true),
  )
