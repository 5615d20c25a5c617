import type { Http2Session } from 'node:http2'

/** A ping each half second; an answer later than this means that the other end, or the way to it, is gone. */
export const pingEveryMs = 500
export const pingTimeoutMs = 2_500

/**
 * Destroys a session whose peer no longer answers: a pulled cable sends no FIN. A stall of this process itself
 * is not held against the peer, since its answer may be waiting unread.
 */
export function keepAlive(
  session: Http2Session,
  options: { everyMs?: number; timeoutMs?: number } = {},
): void {
  const everyMs = options.everyMs ?? pingEveryMs
  const timeoutMs = options.timeoutMs ?? pingTimeoutMs
  let answeredAt = performance.now()
  let lastTick = answeredAt
  const timer = setInterval(() => {
    const now = performance.now()
    const stallMs = now - lastTick - everyMs
    lastTick = now
    if (stallMs > everyMs) answeredAt += stallMs
    if (now - answeredAt > timeoutMs) {
      session.destroy(new Error('the other end no longer answers'))
      return
    }
    if (!session.destroyed && !session.closed)
      session.ping((error) => {
        if (error === null) answeredAt = performance.now()
      })
  }, everyMs)
  timer.unref()
  session.once('close', () => {
    clearInterval(timer)
  })
}

/** Windows wide enough that one stream can fill a fast link. */
export const settings = {
  initialWindowSize: 4 * 1024 * 1024,
  maxConcurrentStreams: 10_000,
  enablePush: false,
} as const
export const connectionWindowBytes = 16 * 1024 * 1024
