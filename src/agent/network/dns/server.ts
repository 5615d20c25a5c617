import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { serveDatagrams } from './datagrams.ts'
import type { Send } from './datagrams.ts'
import type { Edition } from './edition.ts'
import { parseQuery, placesOf, renderAnswer, renderFailure, responseCodes } from './message.ts'
import type { Query } from './message.ts'
import { framed } from './upstream.ts'

/** The answer for somebody at this address; undefined: it is to be asked upstream. 'unknown': nobody we know. */
export type Resolve = (query: Query, from: string, limit: number) => Buffer | 'unknown' | undefined

export interface NameServerParts {
  readonly address: string
  /** Default 53. */
  readonly port?: number
  readonly resolve: Resolve
  /** Advanced by whatever changes what `resolve` says. */
  readonly edition: Edition
  readonly random: Random
  /** Looks for who is at the address: whether anybody is known there now. */
  readonly find: (address: string) => Promise<boolean>
  readonly upstream: {
    ask(message: Buffer, asker: string, protocol: 'udp' | 'tcp'): Promise<Buffer>
  }
  readonly logger: Logger
}

const mostTcpMs = 10_000
const mostTcpBytes = 65_535
/** Connections of one asker. */
const mostTcpOfAsker = 64
/** What goes wrong is said once in a while: who asks must not fill the log. */
const logEveryMs = 10_000

/** Name service for this host's sandboxes, by UDP and TCP. */
export async function serveNames(parts: NameServerParts): Promise<AsyncDisposable> {
  const { address, port = 53 } = parts
  const complain = complainer(parts.logger)
  /** Nothing that is asked, and nothing that goes wrong, throws here. */
  const respond = (
    message: Buffer,
    from: string,
    protocol: 'udp' | 'tcp',
    send: Send,
    isSecondTry = false,
  ) => {
    try {
      const query = parseQuery(message)
      if (query === undefined) return
      if (typeof query === 'number') {
        send(renderFailure(message, query))
        return
      }
      const fail = (code: number) => {
        send(renderAnswer(query, [], { ttlSeconds: 0, code, limit }))
      }
      const limit = protocol === 'udp' ? query.udpBytes : mostTcpBytes
      const found = parts.resolve(query, from, limit)
      if (found === 'unknown') {
        const refuse = () => {
          fail(responseCodes.refused)
        }
        if (isSecondTry) refuse()
        else
          parts.find(from).then((isKnown) => {
            if (isKnown) respond(message, from, protocol, send, true)
            else refuse()
          }, refuse)
      } else if (found !== undefined) send(found, placesOf(query, found))
      else
        parts.upstream.ask(message, from, protocol).then(
          (reply) => {
            send(reply)
          },
          () => {
            fail(responseCodes.serverFailure)
          },
        )
    } catch (error) {
      complain(error)
      send(renderFailure(message, responseCodes.serverFailure))
    }
  }
  const connections = new Map<Socket, string>()
  const tcp = createServer((socket) => {
    const from = socket.remoteAddress ?? ''
    const beside = [...connections.values()].filter((other) => other === from).length
    socket.on('error', () => socket.destroy())
    if (beside >= mostTcpOfAsker) {
      socket.destroy()
      return
    }
    connections.set(socket, from)
    socket.once('close', () => connections.delete(socket))
    socket.setTimeout(mostTcpMs, () => socket.destroy())
    let held = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        const message = held.subarray(2, end)
        held = held.subarray(end)
        respond(message, from, 'tcp', (reply) => {
          if (!socket.destroyed) socket.write(framed(reply))
        })
      }
    })
  })
  const udp = await serveDatagrams({
    ...{ address, port, edition: parts.edition, random: parts.random, complain },
    respond: (message, from, send) => {
      respond(message, from, 'udp', send)
    },
  })
  try {
    tcp.listen(port, address)
    await once(tcp, 'listening')
    tcp.on('error', complain)
  } catch (error) {
    await udp[Symbol.asyncDispose]()
    throw error
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of connections.keys()) socket.destroy()
      const closed = once(tcp, 'close')
      tcp.close()
      await Promise.all([closed, udp[Symbol.asyncDispose]()])
    },
  }
}

function complainer(logger: Logger): (error: unknown) => void {
  let last = -Infinity
  let unsaid = 0
  return (error) => {
    if (performance.now() - last < logEveryMs) {
      unsaid += 1
      return
    }
    last = performance.now()
    logger.warn('a name was not answered', { error, more: unsaid })
    unsaid = 0
  }
}
