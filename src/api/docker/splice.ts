import type { IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { pathPattern } from '../http/router.ts'
import { endToEnd } from './passthrough.ts'

/**
 * Answers that are archives, up to many gigabytes. They go to the client as bytes of the connection, past HTTP's
 * framing: that takes a third of the processor time (measured: bench/facade-passthrough.ts).
 */
const archives = [
  '/images/get',
  '/images/{name:.*}/get',
  '/containers/{id}/export',
  '/containers/{id}/archive',
].map(pathPattern)

/** `path` without version and query. */
export function isArchive(message: IncomingMessage, path: string): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = message.headers
  const hasBody = length !== '0' || encoding !== undefined
  return message.method === 'GET' && !hasBody && archives.some((pattern) => pattern(path) !== undefined)
}

export interface SpliceOptions {
  readonly engineSocket: string
  /** As the engine is asked. */
  readonly path: string
  readonly client: Duplex
  /** What the client sent behind the request's head; absent when the request is complete. */
  readonly head?: Buffer
  /** The engine cannot be reached; nothing has been written to the client. */
  onUnreachable(error: Error): void
}

/**
 * From the request's head on, bytes are only carried, both ways, each end closed by itself. It takes the client's
 * connection for good: the engine is asked to close after this answer, and says so to the client, or a refused
 * upgrade would leave the client talking to the engine behind our back.
 */
export function splice(message: IncomingMessage, options: SpliceOptions): void {
  const { client } = options
  const upstream = connect({ path: options.engineSocket, allowHalfOpen: true })
  upstream.once('connect', () => {
    upstream.write(renderHead(message, options.path))
    if (options.head !== undefined) {
      upstream.write(options.head)
      client.pipe(upstream)
    }
    upstream.pipe(client)
  })
  let failure = new Error('the engine closed the connection without an answer')
  upstream.once('error', (error) => {
    failure = error
  })
  client.once('error', () => upstream.destroy())
  client.once('close', () => upstream.destroy())
  upstream.once('close', (failed) => {
    if (upstream.bytesRead === 0 && !client.destroyed) options.onUnreachable(failure)
    // What broke off must not look like an end.
    else if (failed) client.destroy()
    else client.end()
  })
}

function renderHead(message: IncomingMessage, path: string): string {
  const lines = [`${message.method ?? 'GET'} ${path} HTTP/1.1`]
  const headers = endToEnd(message.rawHeaders)
  for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i] ?? ''}: ${headers[i + 1] ?? ''}`)
  const { upgrade } = message.headers
  lines.push(
    upgrade === undefined ? 'Connection: close' : `Connection: Upgrade, close\r\nUpgrade: ${upgrade}`,
  )
  return `${lines.join('\r\n')}\r\n\r\n`
}
