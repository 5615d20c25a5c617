import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Socket } from 'node:net'
import { decode, encode } from 'dns-packet'
import type { DecodedPacket, Packet } from 'dns-packet'
import type { Logger } from '#lib/logger.ts'
import { askUpstream } from './upstream.ts'

/** The answer for somebody at this address; undefined: it is to be asked upstream. 'refused': nobody we know. */
export type Resolve = (query: DecodedPacket, from: string) => Packet | 'refused' | undefined

const plainUdpBytes = 512
const serverFailure = 2
const refused = 5
/** Questions that wait for upstream at a time; more are answered with a failure, at once. */
const mostUpstream = 256
const mostTcpMs = 10_000

/** Name service for this host's sandboxes, by UDP and TCP. */
export async function serveNames(
  address: string,
  resolve: Resolve,
  logger: Logger,
): Promise<AsyncDisposable> {
  let upstream = 0
  const respond = async (message: Buffer, from: string, limit: number): Promise<Buffer | undefined> => {
    let query: DecodedPacket
    try {
      query = decode(message)
    } catch {
      // Not a question; an answer would only help whoever sends such things.
      return undefined
    }
    if (query.type !== 'query') return undefined
    const found = resolve(query, from)
    if (found === 'refused') return failure(message, refused)
    if (found !== undefined) return fitted(found, limit)
    if (upstream >= mostUpstream) return failure(message, serverFailure)
    upstream += 1
    try {
      return await askUpstream(message)
    } catch {
      return failure(message, serverFailure)
    } finally {
      upstream -= 1
    }
  }
  const udp = createSocket('udp4')
  udp.on('message', (message, from) => {
    // Nobody can be answered there.
    if (from.port === 0) return
    respond(message, from.address, udpLimit(message)).then(
      (reply) => {
        if (reply !== undefined) udp.send(reply, from.port, from.address)
      },
      (error: unknown) => {
        logger.warn('a name was not answered', { error })
      },
    )
  })
  const connections = new Set<Socket>()
  const tcp = createServer((socket) => {
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(mostTcpMs, () => socket.destroy())
    let held = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 2 && held.length >= 2 + held.readUInt16BE(0)) {
        const end = 2 + held.readUInt16BE(0)
        const message = held.subarray(2, end)
        held = held.subarray(end)
        respond(message, socket.remoteAddress ?? '', 65_535).then(
          (reply) => {
            if (reply === undefined) socket.destroy()
            else socket.write(Buffer.concat([lengthOf(reply), reply]))
          },
          () => socket.destroy(),
        )
      }
    })
  })
  udp.bind(53, address)
  tcp.listen(53, address)
  await Promise.all([once(udp, 'listening'), once(tcp, 'listening')])
  return {
    async [Symbol.asyncDispose]() {
      for (const socket of connections) socket.destroy()
      const closed = Promise.all([once(udp, 'close'), once(tcp, 'close')])
      udp.close()
      tcp.close()
      await closed
    },
  }
}

/** What the asker can take by UDP: more than the oldest limit only if it says so. */
function udpLimit(message: Buffer): number {
  try {
    const record = decode(message).additionals?.find(({ type }) => type === 'OPT') as
      { udpPayloadSize?: number } | undefined
    return Math.max(plainUdpBytes, record?.udpPayloadSize ?? plainUdpBytes)
  } catch {
    return plainUdpBytes
  }
}

/** Cut to what fits, and marked as cut, so that the asker comes back by TCP. */
function fitted(packet: Packet, limit: number): Buffer {
  const whole = encode(packet)
  if (whole.length <= limit) return whole
  const truncated = 1 << 9
  return encode({ ...packet, flags: (packet.flags ?? 0) | truncated, answers: [] })
}

/** The question itself with the code in it. */
function failure(message: Buffer, code: number): Buffer {
  const reply = Buffer.from(message)
  if (reply.length < 4) return reply
  reply.writeUInt8((reply.readUInt8(2) & 0x79) | 0x80, 2)
  reply.writeUInt8(0x80 | code, 3)
  return reply
}

function lengthOf(reply: Buffer): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(reply.length)
  return head
}
