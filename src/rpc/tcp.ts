import { connect } from 'node:net'
import type { Socket } from 'node:net'

/**
 * The kernel sends the first packet of a connection again after 1, 3 and 7 s. One that was lost because a link had not
 * quite healed must not hold up what could begin now.
 */
export const anotherAfterMs = 300

/**
 * A TCP connection: where nothing answers another is begun beside it every now and then, and the first to come about is
 * the one. An error of any means all: they have one destination. `signal` ends the attempts.
 */
export function connectTcp(
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  open: (target: { readonly host: string; readonly port: number }) => Socket = connect,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const attempts = new Set<Socket>()
    const settle = (winner?: Socket) => {
      clearInterval(timer)
      signal.removeEventListener('abort', onAbort)
      for (const socket of attempts) if (socket !== winner) socket.destroy()
    }
    const fail = (error: unknown) => {
      settle()
      reject(error instanceof Error ? error : new Error('aborted', { cause: error }))
    }
    const onAbort = () => {
      fail(signal.reason)
    }
    const attempt = () => {
      const socket = open(target)
      attempts.add(socket)
      // Stays: an error of a socket that has lost is nobody's.
      socket.on('error', fail)
      socket.once('connect', () => {
        socket.off('error', fail)
        settle(socket)
        resolve(socket)
      })
    }
    const timer = setInterval(attempt, anotherAfterMs)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else attempt()
  })
}
