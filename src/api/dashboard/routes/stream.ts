import { isMureError, MureError } from '#lib/errors.ts'
import type { Access } from '../auth/access.ts'
import type { Feed } from '../feed/feed.ts'
import { Viewer } from '../feed/viewer.ts'
import type { RouteTable } from './route-table.ts'

/** More pages at once than people watch; each costs little, but not nothing. */
const mostViewers = 200
const lookEveryMs = 10_000

export function registerStreamRoute(routes: RouteTable, feed: Feed, access: Access): void {
  routes.add('GET', '/api/stream', 'read-only', async ({ message, query, response }) => {
    if (feed.viewers >= mostViewers)
      throw new MureError('exhausted', `${String(mostViewers)} pages watch this manager already`)
    response.writeHead(200, {
      'Content-Type': 'text/event-stream; charset=utf-8',
      'Cache-Control': 'no-store',
      // nginx would keep events back until it has a buffer full.
      'X-Accel-Buffering': 'no',
    })
    const viewer = new Viewer(response)
    const known = revisionOf(message.headers['last-event-id']) ?? revisionOf(query.get('since') ?? undefined)
    if (!feed.add(viewer, known)) viewer.end()
    // A session that is over, or was revoked, sees no more; the page then asks for a login.
    const looking = setInterval(() => {
      access.admit(message).catch((error: unknown) => {
        if (isMureError(error, 'unauthenticated')) viewer.end()
      })
    }, lookEveryMs)
    response.once('close', () => {
      clearInterval(looking)
      feed.remove(viewer)
    })
    return 'streamed'
  })
}

function revisionOf(text: string | string[] | undefined): number | undefined {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}
