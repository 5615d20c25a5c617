import { Agent, request as httpRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http'
import { unreachableEngine } from '#engine/transport.ts'
import type { Logger } from '#lib/logger.ts'
import { stringifyJson } from '#lib/lossless-json.ts'
import type { EngineFacts } from './engine-facts.ts'
import { inVersionOf, isOlder, splitVersion } from './versions.ts'

/** Headers that concern one connection and not the request. */
const hopByHop = new Set(['connection', 'keep-alive', 'proxy-connection', 'upgrade', 'te'])

/** As Go's server allows; registry credentials in a header can be long. */
const maxHeaderBytes = 1024 * 1024

/**
 * Hands requests to the local engine as they are: bodies stream both ways without being kept, and a client that
 * goes away cancels the engine's work as it would without us.
 */
export class Passthrough implements Disposable {
  readonly socketPath: string
  readonly #facts: EngineFacts
  readonly #logger: Logger
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 32 })

  /** What a client is told when the engine cannot be reached. */
  readonly unreachable: string
  readonly #isLocal: boolean

  /** `remote`: what to say of an engine of another node that cannot be reached; absent: it is this host's own. */
  constructor(socketPath: string, facts: EngineFacts, logger: Logger, remote?: string) {
    this.socketPath = socketPath
    this.unreachable = remote ?? unreachableEngine(socketPath)
    this.#isLocal = remote === undefined
    this.#facts = facts
    this.#logger = logger
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  /** The path as the engine is asked: a version that it does not know yet is lowered to its newest. */
  enginePath(url: string): string {
    const { version, rest } = splitVersion(url)
    if (version === undefined || !isOlder(this.#facts.apiVersion, version)) return url
    return `/v${this.#facts.apiVersion}${rest}`
  }

  /**
   * Resolves when the answer has been given or the client has gone; never rejects. `body`: instead of the request's
   * own, which a handler has read already.
   */
  forward(message: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void> {
    return new Promise((resolve) => {
      const text = body === undefined ? undefined : stringifyJson(body)
      const upstream = httpRequest({
        socketPath: this.socketPath,
        agent: this.#agent,
        method: message.method,
        path: this.enginePath(message.url ?? '/'),
        headers: requestHeaders(message, text),
        setDefaultHeaders: false,
        maxHeaderSize: maxHeaderBytes,
      })
      upstream.once('response', (answer) => {
        this.#answer(answer, message, response)
      })
      upstream.once('error', (error) => {
        if (response.headersSent || response.destroyed) response.destroy()
        else this.#unreachable(response, error)
      })
      response.once('close', () => {
        if (!response.writableFinished) upstream.destroy()
        // What the engine did not want of the body is read away, or the connection would be stuck with it.
        message.unpipe(upstream)
        message.resume()
        resolve()
      })
      if (text !== undefined) upstream.end(text)
      else sendBody(message, response, upstream)
    })
  }

  /** The engine may come back as another version. */
  lostContact(error: Error): void {
    this.#logger.warn('the engine did not answer', { error, what: this.unreachable })
    if (this.#isLocal) this.#facts.forget()
  }

  #unreachable(response: ServerResponse, error: Error): void {
    this.lostContact(error)
    const body = `${JSON.stringify({ message: this.unreachable })}\n`
    response.writeHead(503, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
    response.end(body)
  }

  #answer(answer: IncomingMessage, message: IncomingMessage, response: ServerResponse): void {
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, this.#responseHeaders(answer, message))
    // Logs and events must be seen to have begun before there is anything to show.
    response.flushHeaders()
    answer.once('end', () => {
      if (answer.rawTrailers.length > 0) response.addTrailers(pairs(answer.rawTrailers))
    })
    // Not a pipeline: when the engine breaks off, the client must see that and no proper end.
    answer.once('error', () => response.destroy())
    answer.pipe(response)
    if (!message.complete && answer.statusCode !== undefined && answer.statusCode >= 400)
      response.shouldKeepAlive = false
  }

  #responseHeaders(answer: IncomingMessage, message: IncomingMessage): string[] {
    const { version } = splitVersion(message.url ?? '/')
    const headers = endToEnd(answer.rawHeaders)
    for (let i = 0; i < headers.length; i += 2) {
      const name = headers[i]?.toLowerCase()
      if (name === 'api-version') headers[i + 1] = this.#facts.newestVersion
      if (name === 'location' && version !== undefined)
        headers[i + 1] = inVersionOf(version, headers[i + 1] ?? '')
    }
    return headers
  }
}

/** The client's `Expect: 100-continue` is the engine's to answer: a body that it does not want is never sent. */
function sendBody(message: IncomingMessage, response: ServerResponse, upstream: ClientRequest): void {
  const pipe = () => {
    message.once('end', () => {
      if (message.rawTrailers.length > 0) upstream.addTrailers(pairs(message.rawTrailers))
    })
    message.pipe(upstream)
  }
  if (message.headers.expect?.toLowerCase() !== '100-continue') {
    pipe()
    return
  }
  upstream.once('continue', () => {
    response.writeContinue()
    pipe()
  })
  upstream.flushHeaders()
}

function requestHeaders(message: IncomingMessage, replacedBody: string | undefined): string[] {
  const headers = endToEnd(message.rawHeaders)
  if (replacedBody !== undefined) {
    const kept: string[] = []
    for (let i = 0; i < headers.length; i += 2)
      if (!/^(content-length|transfer-encoding|expect|content-type)$/i.test(headers[i] ?? ''))
        kept.push(headers[i] ?? '', headers[i + 1] ?? '')
    const size = String(Buffer.byteLength(replacedBody))
    return [...kept, 'Content-Type', 'application/json', 'Content-Length', size]
  }
  const { method, headers: known } = message
  const bare = known['content-length'] === undefined && known['transfer-encoding'] === undefined
  // Node would announce a chunked body, and the engine refuses some calls that come with one.
  if (bare && method !== 'GET' && method !== 'HEAD') headers.push('Content-Length', '0')
  return headers
}

export function endToEnd(rawHeaders: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (!hopByHop.has(name.toLowerCase())) kept.push(name, rawHeaders[i + 1] ?? '')
  }
  return kept
}

function pairs(raw: readonly string[]): [string, string][] {
  const found: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) found.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return found
}
