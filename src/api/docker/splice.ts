import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { carry, carryAccepted } from '../http/buffered-reads.ts'
import { endToEnd } from './passthrough.ts'

export interface SplicedRequest {
  readonly method?: string | undefined
  /** As the engine is asked. */
  readonly path: string
  readonly rawHeaders: readonly string[]
}

export interface SpliceOptions {
  readonly engineSocket: string
  /** What the client is told when the engine cannot be reached. */
  readonly unreachable: string
  readonly client: Duplex
  /** What the client has sent behind the request's head. */
  readonly rest: Buffer
  /** Much is expected, one way or the other: worth large buffers. */
  readonly isBulk?: boolean
  /** The engine cannot be reached; the client has been told. */
  onUnreachable(error: Error): void
}

/** So much may be on its way before the faster side waits: each wait costs two turns of the event loop. */
const highWaterMark = 512 * 1024

const lingerMs = 1_000

/**
 * From the request's head on, bytes are only carried, both ways, each end closed by itself. It takes the client's
 * connection for good: the engine is asked to close after this answer, and says so to the client, or a refused
 * upgrade would leave the client talking to the engine behind our back.
 */
export function splice(request: SplicedRequest, options: SpliceOptions): void {
  const target = { path: options.engineSocket, allowHalfOpen: true, highWaterMark }
  const onread = carry({ from: () => upstream, to: () => client })
  const upstream: Socket = connect(options.isBulk === true ? { ...target, onread } : target)
  upstream.write(renderHead(request))
  if (options.rest.length > 0) upstream.write(options.rest)
  const carried = options.isBulk === true ? carryAccepted(options.client, upstream) : undefined
  const client: Duplex = carried ?? options.client
  if (carried === undefined) client.pipe(upstream)
  else carried.once('end', () => upstream.end())
  if (options.isBulk === true) upstream.once('end', () => client.end())
  else upstream.pipe(client)
  let failure = new Error('the engine closed the connection without an answer')
  upstream.once('error', (error) => {
    failure = error
  })
  client.once('error', () => upstream.destroy())
  client.once('close', () => upstream.destroy())
  upstream.once('close', (failed) => {
    if (upstream.bytesRead === 0 && client.writable) {
      options.onUnreachable(failure)
      finish(client, unreachableAnswer(options.unreachable))
    }
    // What broke off must not look like an end.
    else if (failed) client.destroy()
    else finish(client)
  })
}

/** The last words reach a client that is still sending only if that is read; one that does not stop is cut off. */
function finish(client: Duplex, lastWords?: string): void {
  client.unpipe()
  client.resume()
  client.end(lastWords)
  const timer = setTimeout(() => client.destroy(), lingerMs).unref()
  client.once('close', () => {
    clearTimeout(timer)
  })
}

function renderHead({ method, path, rawHeaders }: SplicedRequest): string {
  const lines = [`${method ?? 'GET'} ${path} HTTP/1.1`]
  const headers = endToEnd(rawHeaders)
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`)
  const at = rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === 'upgrade')
  if (at < 0) lines.push('Connection: close')
  else lines.push('Connection: Upgrade, close', `Upgrade: ${rawHeaders[at + 1] ?? ''}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}

function unreachableAnswer(message: string): string {
  const body = `${JSON.stringify({ message })}\n`
  return [
    'HTTP/1.1 503 Service Unavailable',
    'Content-Type: application/json',
    `Content-Length: ${String(Buffer.byteLength(body))}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
