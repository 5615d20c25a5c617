import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { errorText, systemCode } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { DatagramRelay } from './datagram-relay.ts'

export interface HostPort {
  readonly protocol: string
  readonly port: number
}

export const portKey = ({ protocol, port }: HostPort): string => `${protocol}/${String(port)}`

const loopback6 = '::1'

/**
 * Holds the published ports on this host, as Docker does: no other program takes one, and one that another program
 * has is left to it. The kernel's rules catch connections before they get to these sockets, with one exception: an
 * IPv6 packet cannot come back to a loopback address from elsewhere, so what is sent to [::1] goes on over 127.0.0.1.
 */
export class PortListeners implements AsyncDisposable {
  readonly #logger: Logger
  readonly #held = new Map<string, AsyncDisposable>()
  readonly #refused = new Set<string>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Ports that something else on this host listens on, as `portKey` has them. */
  get refused(): ReadonlySet<string> {
    return this.#refused
  }

  /** Holds these and no others. Whether what is refused has changed. */
  async sync(ports: readonly HostPort[]): Promise<boolean> {
    const before = [...this.#refused].sort().join()
    const wanted = new Map(ports.map((port) => [portKey(port), port]))
    for (const [key, held] of this.#held)
      if (!wanted.has(key)) {
        this.#held.delete(key)
        await held[Symbol.asyncDispose]()
      }
    for (const key of this.#refused) if (!wanted.has(key)) this.#refused.delete(key)
    for (const [key, port] of wanted) if (!this.#held.has(key)) await this.#hold(key, port)
    return [...this.#refused].sort().join() !== before
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.sync([])
  }

  async #hold(key: string, port: HostPort): Promise<void> {
    try {
      const held = await listen(port)
      if (held !== undefined) this.#held.set(key, held)
      this.#refused.delete(key)
    } catch (error) {
      if (!this.#refused.has(key))
        this.#logger.warn('a published port is not served on this host: something else listens on it', {
          port: key,
          error: errorText(error),
        })
      this.#refused.add(key)
    }
  }
}

/** Undefined for what Node has no sockets for. */
async function listen(port: HostPort): Promise<AsyncDisposable | undefined> {
  for (const host of ['::', '0.0.0.0'])
    try {
      if (port.protocol === 'tcp') return await listenTcp(port.port, host)
      if (port.protocol === 'udp') return await listenUdp(port.port, host)
      return undefined
    } catch (error) {
      // A kernel without IPv6.
      if (host === '0.0.0.0' || systemCode(error) !== 'EAFNOSUPPORT') throw error
    }
  return undefined
}

async function listenTcp(port: number, host: string): Promise<AsyncDisposable> {
  const open = new Set<Socket>()
  const keep = (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => open.delete(socket))
  }
  const server = createServer((socket) => {
    keep(socket)
    if (socket.remoteAddress !== loopback6) {
      // The rules are gone for a moment; nobody is served here instead of by the service.
      socket.resetAndDestroy()
      return
    }
    const onward = connect((server.address() as AddressInfo).port, '127.0.0.1')
    keep(onward)
    socket.once('close', () => onward.destroy())
    onward.once('close', () => socket.destroy())
    socket.pipe(onward).pipe(socket)
  })
  server.listen({ port, host, exclusive: true })
  await once(server, 'listening')
  return {
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}

async function listenUdp(port: number, host: string): Promise<AsyncDisposable> {
  const socket = createSocket(host === '::' ? 'udp6' : 'udp4')
  try {
    socket.bind({ port, address: host, exclusive: true })
    await once(socket, 'listening')
  } catch (error) {
    socket.close()
    throw error
  }
  const relay = new DatagramRelay(socket)
  socket.on('message', (message, from) => {
    if (from.address === loopback6) relay.carry(message, from.address, from.port)
  })
  // What is refused far away is told here; nobody is to fall over it.
  socket.on('error', () => undefined)
  return {
    async [Symbol.asyncDispose]() {
      relay[Symbol.dispose]()
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}
