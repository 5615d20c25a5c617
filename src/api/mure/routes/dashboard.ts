import { randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import { sign } from '#security/grant.ts'
import { parseHost } from '../../http/host.ts'
import { done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { MureParts } from './index.ts'

const keyTimeoutMs = 10_000
const defaultTtlMs = 24 * 3_600_000
const longestTtlMs = 10 * 365 * 24 * 3_600_000

/** Whoever speaks to this socket is root in the cluster, so may have a token; browsers are not, so they need one. */
export function registerDashboardRoutes(router: Router, { node, clock, dashboard }: MureParts): void {
  router.add('POST', '/mure/v1/dashboard/token', async (request) => {
    const body = ((await request.json()) ?? {}) as { role?: unknown; ttlMs?: unknown }
    const role = body.role ?? 'admin'
    if (role !== 'admin' && role !== 'read-only')
      throw new MureError('invalid', 'the role of a token is admin or read-only')
    const ttlMs = body.ttlMs ?? defaultTtlMs
    if (typeof ttlMs !== 'number' || !(ttlMs >= 1_000) || ttlMs > longestTtlMs)
      throw new MureError('invalid', 'a token lasts a second or more, and not for more than ten years')
    using wait = startWait({
      timeoutMs: keyTimeoutMs,
      signal: request.signal,
      what: 'the key of the dashboard',
    })
    const key = await node.control().accessKey({ wait })
    const expiresAt = clock.now() + ttlMs
    const token = sign(key, 'token', { role, expiresAt, id: randomBytes(12).toString('base64url') })
    return ok({ token, role, expiresAt, ...addressOf() })
  })

  router.add('POST', '/mure/v1/dashboard/revoke', async (request) => {
    using wait = startWait({ timeoutMs: keyTimeoutMs, signal: request.signal, what: 'another key' })
    await node.control().accessKey({ wait, rotate: true })
    return done(204)
  })

  /** As a browser elsewhere would write it: the node's address where the dashboard listens at all of them. */
  function addressOf(): { url?: string } {
    if (dashboard === undefined) return {}
    const host = parseHost(dashboard.host)
    if (host.kind !== 'tcp') return {}
    const isAny = ['', '0.0.0.0', '::'].includes(host.address)
    const address = isAny ? node.info().nodeAddress : host.address
    const shown = address.includes(':') ? `[${address}]` : address
    return { url: `${dashboard.isSecure ? 'https' : 'http'}://${shown}:${String(host.portNumber)}/` }
  }
}
