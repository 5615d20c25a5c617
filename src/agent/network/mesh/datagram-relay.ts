import { createSocket } from 'node:dgram'
import type { Socket } from 'node:dgram'

/** As long as the kernel keeps a UDP connection that was answered. */
const idleMs = 120_000
const mostClients = 256

interface Client {
  readonly onward: Socket
  readonly timer: NodeJS.Timeout
}

/**
 * Carries datagrams of clients on the host's IPv6 loopback address on to the same port over 127.0.0.1, each client's
 * from a port of its own, and the answers back.
 */
export class DatagramRelay implements Disposable {
  readonly #socket: Socket
  readonly #clients = new Map<number, Client>()

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /** `port`: of the client at `address`. */
  carry(message: Buffer, address: string, port: number): void {
    const client = this.#clients.get(port) ?? this.#admit(address, port)
    client.timer.refresh()
    // Nobody listens: as good as lost on the way.
    client.onward.send(message, this.#socket.address().port, '127.0.0.1', () => undefined)
  }

  #admit(address: string, port: number): Client {
    // The one that has been here longest goes: a client that asks from fresh ports is to be heard too.
    const [oldest] = this.#clients.keys()
    if (this.#clients.size >= mostClients && oldest !== undefined) this.#dismiss(oldest)
    const onward = createSocket('udp4')
    onward.on('error', () => {
      this.#dismiss(port)
    })
    onward.on('message', (answer) => {
      client.timer.refresh()
      this.#socket.send(answer, port, address, () => undefined)
    })
    const timer = setTimeout(() => {
      this.#dismiss(port)
    }, idleMs).unref()
    const client = { onward, timer }
    this.#clients.set(port, client)
    return client
  }

  #dismiss(port: number): void {
    const client = this.#clients.get(port)
    if (client === undefined) return
    this.#clients.delete(port)
    clearTimeout(client.timer)
    client.onward.close()
  }

  [Symbol.dispose](): void {
    for (const port of [...this.#clients.keys()]) this.#dismiss(port)
  }
}
