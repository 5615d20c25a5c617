import type { Http2Session } from 'node:http2'

/**
 * How a dead peer is noticed. A pulled cable or a power cut sends no FIN, and the kernel would go on resending for a
 * quarter of an hour.
 */
export interface KeepAlive {
  /** How often the client's end pings; the server's end pings only when it has heard nothing for as long. */
  readonly everyMs: number
  /** Silence after which the connection is given up. Both ends judge for themselves. */
  readonly timeoutMs: number
}

/**
 * A cut is noticed 1.5 to 2.5 s after it. Every byte that arrives is a sign of life, an answer to a ping or not: behind
 * a large transfer over a slow link an answer comes late though the peer lives. What keeps a peer silent for 2 s
 * without being dead is its own event loop standing still for 2 s, and that is a defect; a stall at this end is not
 * held against the peer.
 */
export const defaultKeepAlive: KeepAlive = { everyMs: 500, timeoutMs: 2_000 }

/** Destroys the session when the other end falls silent. Ends by itself with the session. */
export function keepAlive(session: Http2Session, end: 'client' | 'server', options: KeepAlive): void {
  const { everyMs, timeoutMs } = options
  let heardBytes = session.socket.bytesRead
  let heardAt = performance.now()
  let tickedAt = heardAt
  const timer = setInterval(() => {
    if (session.destroyed) return
    const now = performance.now()
    const stalledMs = now - tickedAt - everyMs
    tickedAt = now
    const isQuiet = session.socket.bytesRead === heardBytes
    if (!isQuiet) {
      heardBytes = session.socket.bytesRead
      heardAt = now
    } else if (stalledMs > everyMs) heardAt += stalledMs
    if (now - heardAt > timeoutMs)
      session.destroy(new Error(`the other end has been silent for ${String(timeoutMs)} ms`))
    else if (end === 'client' || isQuiet) session.ping(() => undefined)
  }, everyMs)
  timer.unref()
  session.once('close', () => {
    clearInterval(timer)
  })
}
