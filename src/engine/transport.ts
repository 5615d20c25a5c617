import { Agent, request as httpRequest } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { MureError, systemCode } from '#lib/errors.ts'
import type { ErrorCode } from '#lib/errors.ts'

export interface EngineRequest {
  readonly method: string
  /** With its query, as it goes on the wire. */
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string | Buffer | Readable
  readonly signal?: AbortSignal
}

/** One engine's socket. Connections are kept and many may be open at once: the engine answers slow calls in parallel. */
export class EngineTransport {
  readonly socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 16 })

  constructor(socketPath: string) {
    this.socketPath = socketPath
  }

  /** The answer's head; its body is the caller's to read. */
  async request(options: EngineRequest): Promise<IncomingMessage> {
    for (;;) {
      const attempt = await this.#attempt(options)
      if (attempt !== 'stale connection') return attempt
    }
  }

  #attempt(options: EngineRequest): Promise<IncomingMessage | 'stale connection'> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.socketPath,
        agent: this.#agent,
        method: options.method,
        path: options.path,
        headers: { host: 'docker', ...options.headers },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      })
      request.once('response', resolve)
      request.once('error', (error) => {
        // A kept connection of an engine that was restarted since: what only reads is asked again on another one.
        const isStale = request.reusedSocket && systemCode(error) === 'ECONNRESET'
        if (isStale && options.method === 'GET') resolve('stale connection')
        else reject(this.#failure(error))
      })
      if (typeof options.body === 'object' && 'pipe' in options.body) options.body.pipe(request)
      else request.end(options.body)
    })
  }

  /** A connection that leaves HTTP behind: attach, exec. */
  upgrade(
    options: Omit<EngineRequest, 'body'> & { body?: string },
  ): Promise<{ response: IncomingMessage; socket: Duplex; head: Buffer }> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.socketPath,
        method: options.method,
        path: options.path,
        headers: { host: 'docker', connection: 'Upgrade', upgrade: 'tcp', ...options.headers },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      })
      request.once('upgrade', (response, socket, head) => {
        resolve({ response, socket, head })
      })
      request.once('response', (response) => {
        readText(response).then((text) => {
          reject(engineError(response.statusCode ?? 0, text))
        }, reject)
      })
      request.once('error', (error) => {
        reject(this.#failure(error))
      })
      request.end(options.body)
    })
  }

  close(): void {
    this.#agent.destroy()
  }

  #failure(error: Error): MureError {
    const code = systemCode(error)
    if (code === 'ABORT_ERR')
      return new MureError('cancelled', 'the call to the engine was cancelled', { cause: error })
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE')
      return new MureError('unavailable', unreachableEngine(this.socketPath), { cause: error })
    return new MureError('unavailable', `the engine at ${this.socketPath} failed: ${error.message}`, {
      cause: error,
    })
  }
}

/** Docker's own sentence; clients and people look for it. */
export const unreachableEngine = (socketPath: string): string =>
  `Cannot connect to the Docker daemon at unix://${socketPath}. Is the docker daemon running?`

export async function readText(response: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const codeOf: Readonly<Record<number, ErrorCode>> = {
  304: 'precondition',
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not-found',
  409: 'conflict',
  501: 'unsupported',
  503: 'unavailable',
}

/** The engine's own refusal: its status and sentence are in `details`, to be handed on as they are. */
export function engineError(status: number, text: string): MureError {
  let message = text.trim()
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message
  } catch {
    // Some answers are plain text.
  }
  return new MureError(codeOf[status] ?? 'internal', message, { details: { engineStatus: status } })
}

export const engineStatus = (error: unknown): number | undefined => {
  const status = error instanceof MureError ? error.details?.['engineStatus'] : undefined
  return typeof status === 'number' ? status : undefined
}
