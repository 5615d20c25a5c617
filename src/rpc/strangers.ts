import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/**
 * Anybody may open a connection, to fetch the root certificate or to join. What all strangers together can take is
 * bounded by these numbers; nodes with a certificate are not counted.
 */
export interface StrangerLimits {
  /** Connections without a node's certificate, those in the middle of a handshake among them. */
  readonly connections: number
  readonly handshakeMs: number
  /** A join takes a few seconds; nobody needs to stay a stranger for longer. */
  readonly lifeMs: number
  /** Calls in progress on one connection. */
  readonly calls: number
  readonly bodyBytes: number
}

export const defaultStrangerLimits: StrangerLimits = {
  connections: 512,
  handshakeMs: 10_000,
  lifeMs: 60_000,
  calls: 8,
  bodyBytes: 64 * 1024,
}

/**
 * Keeps the number of strangers down by ending the oldest: a newcomer that means it is done in a fraction of a second,
 * also while a flood of idle connections comes in.
 */
export class Strangers {
  readonly #limits: StrangerLimits
  /** In the order of their coming, by the peer's address and port: a TLS socket does not tell the one below it. */
  readonly #waiting = new Map<string, { readonly socket: Socket; readonly timer: NodeJS.Timeout }>()

  constructor(limits: StrangerLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#waiting.size
  }

  /** A connection is a stranger's until it has shown a certificate. */
  add(socket: Socket): void {
    const key = keyOf(socket)
    const timer = setTimeout(() => socket.destroy(), this.#limits.lifeMs)
    timer.unref()
    this.#waiting.set(key, { socket, timer })
    socket.once('close', () => {
      if (this.#waiting.get(key)?.socket === socket) this.#forget(key)
    })
    const [oldest] = this.#waiting
    if (oldest === undefined || this.#waiting.size <= this.#limits.connections) return
    this.#forget(oldest[0])
    oldest[1].socket.destroy()
  }

  /** It is one of us. */
  remove(socket: TLSSocket): void {
    this.#forget(keyOf(socket))
  }

  #forget(key: string): void {
    clearTimeout(this.#waiting.get(key)?.timer)
    this.#waiting.delete(key)
  }
}

const keyOf = (socket: Socket | TLSSocket): string =>
  `${socket.remoteAddress ?? ''} ${String(socket.remotePort)}`
