import { request } from 'node:http'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  json(): unknown
}

/** One plain call over a unix socket. */
export function call(
  socketPath: string,
  method: string,
  path: string,
  options: { body?: string | Buffer | object; headers?: OutgoingHttpHeaders } = {},
): Promise<Answer> {
  const { body } = options
  const isJson = typeof body === 'object' && !Buffer.isBuffer(body)
  return new Promise((resolve, reject) => {
    const outgoing = request({
      socketPath,
      method,
      path,
      agent: false,
      signal: AbortSignal.timeout(20_000),
      headers: {
        host: 'docker',
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...options.headers,
      },
    })
    outgoing.once('error', reject)
    outgoing.once('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(chunks).toString()
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as unknown,
        })
      })
    })
    outgoing.end(isJson ? JSON.stringify(body) : body)
  })
}

/** What comes back for bytes as they are, until the other side closes or nothing more comes for `quietMs`. */
export function exchange(socketPath: string, bytes: string | Buffer, quietMs = 1_000): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(socketPath)
    const chunks: Buffer[] = []
    const end = () => {
      socket.destroy()
      resolve(Buffer.concat(chunks).toString())
    }
    socket.setTimeout(quietMs, end)
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('close', end)
    // Whoever sends more than is wanted finds the connection closed; what was said before counts.
    socket.on('error', () => undefined)
    socket.write(bytes)
  })
}
