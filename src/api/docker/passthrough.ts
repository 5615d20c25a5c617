import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from '#lib/logger.ts'
import { compareVersions, splitVersion } from './versions.ts'

/** Headers that concern one connection and not the request. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te'])

/**
 * Hands requests to the local engine as they are: bodies stream both ways without being kept, and a client that
 * goes away cancels the engine's work as it would without us.
 */
export class Passthrough {
  readonly #socketPath: string
  readonly #logger: Logger
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 32 })
  /** The newest version that the engine knows; a newer request is asked of it in this one. */
  engineVersion = '1.41'

  constructor(socketPath: string, logger: Logger) {
    this.#socketPath = socketPath
    this.#logger = logger
  }

  close(): void {
    this.#agent.destroy()
  }

  /** The path as the engine is asked: its version lowered to what the engine knows. */
  enginePath(url: string): string {
    const { version, rest } = splitVersion(url)
    if (version === undefined || compareVersions(version, this.engineVersion) <= 0) return url
    return `/v${this.engineVersion}${rest}`
  }

  forward(message: IncomingMessage, response: ServerResponse): Promise<void> {
    return new Promise((resolve) => {
      const upstream = httpRequest({
        socketPath: this.#socketPath,
        agent: this.#agent,
        method: message.method,
        path: this.enginePath(message.url ?? '/'),
        headers: endToEnd(message.rawHeaders),
        setDefaultHeaders: false,
      })
      upstream.once('response', (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer.rawHeaders))
        // Logs and events must be seen to have begun before there is anything to show.
        response.flushHeaders()
        answer.pipe(response)
        answer.once('error', () => response.destroy())
        answer.once('aborted', () => response.destroy())
      })
      upstream.once('error', (error) => {
        if (!response.headersSent && !response.destroyed) this.#unreachable(response, error)
        else response.destroy()
        resolve()
      })
      response.once('close', () => {
        if (!response.writableFinished) upstream.destroy()
        resolve()
      })
      message.pipe(upstream)
    })
  }

  /** Attach, exec and BuildKit leave HTTP behind: from the request's head on, bytes are only carried. */
  upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const upstream = connect({ path: this.#socketPath, allowHalfOpen: true })
    const end = () => {
      upstream.destroy()
      socket.destroy()
    }
    upstream.once('connect', () => {
      const lines = [`${message.method ?? 'POST'} ${this.enginePath(message.url ?? '/')} HTTP/1.1`]
      for (let i = 0; i < message.rawHeaders.length; i += 2)
        lines.push(`${message.rawHeaders[i] ?? ''}: ${message.rawHeaders[i + 1] ?? ''}`)
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
      if (head.length > 0) upstream.write(head)
      upstream.pipe(socket)
      socket.pipe(upstream)
    })
    upstream.on('error', (error) => {
      if (upstream.bytesRead === 0 && socket.writable)
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      this.#logger.debug('an upgraded connection to the engine failed', { error })
      end()
    })
    socket.on('error', end)
    socket.once('close', () => upstream.destroy())
    upstream.once('close', () => {
      if (socket.writable) socket.end()
    })
  }

  #unreachable(response: ServerResponse, error: Error): void {
    this.#logger.warn('the engine did not answer', { error })
    const body = JSON.stringify({
      message: `Cannot connect to the Docker daemon at unix://${this.#socketPath}. Is the docker daemon running?`,
    })
    response.writeHead(503, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }
}

function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? '')
  }
  return kept
}
