import type { Server } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Listener } from './listen.ts'
import { parseHead } from './request-head.ts'

/**
 * Lets the listener see each connection's first bytes before HTTP does: it takes over what it can serve better as
 * bare bytes. Gives the connections that have not said anything yet.
 */
export function firstLook(server: Server | TlsServer, listener: Listener): ReadonlySet<Socket> {
  const speakHttp = server
    .listeners('connection')
    .map((accept) => accept.bind(server) as (socket: Socket) => void)
  server.removeAllListeners('connection')
  const unheard = new Set<Socket>()
  const look = (socket: Socket) => {
    const bytes = socket.read() as Buffer | null
    if (bytes === null && !socket.readableEnded && !socket.destroyed) {
      socket.once('readable', () => {
        look(socket)
      })
      return
    }
    unheard.delete(socket)
    socket.removeListener('error', ignore)
    const head = bytes === null ? undefined : parseHead(bytes)
    if (head !== undefined && listener.mayTake?.(head, socket) === true) return
    if (bytes !== null) socket.unshift(bytes)
    for (const accept of speakHttp) accept(socket)
  }
  server.on('connection', (socket: Socket) => {
    unheard.add(socket)
    socket.on('error', ignore)
    socket.once('close', () => unheard.delete(socket))
    look(socket)
  })
  return unheard
}

/** A client that breaks off before it has said anything. */
function ignore(): void {
  return undefined
}
