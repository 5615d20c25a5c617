import { once } from 'node:events'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'
import { stringifyJson } from '#lib/lossless-json.ts'

interface Head {
  readonly status: number
  readonly headers?: OutgoingHttpHeaders
}

/** What a handler answers. `streamed`: it has written, or is writing, the answer by itself. */
export type ApiResponse =
  | (Head & { readonly json?: unknown })
  | (Head & { readonly text: string })
  /** JSON that is written already. */
  | (Head & { readonly jsonText: string })
  | (Head & { readonly stream: Readable })
  | 'streamed'

export const ok = (json: unknown): ApiResponse => ({ status: 200, json })
export const okText = (jsonText: string): ApiResponse => ({ status: 200, jsonText })
export const created = (json: unknown): ApiResponse => ({ status: 201, json })
export const done = (status = 200): ApiResponse => ({ status })

export async function send(response: ServerResponse, answer: ApiResponse): Promise<void> {
  if (answer === 'streamed' || response.headersSent) return
  for (const [name, value] of Object.entries(answer.headers ?? {}))
    if (value !== undefined) response.setHeader(name, value)
  if ('stream' in answer) {
    response.writeHead(answer.status)
    // Whoever follows a stream must see that it has begun, also before there is anything to show.
    response.flushHeaders()
    await pipeline(answer.stream, response)
  } else if ('text' in answer) sendBody(response, answer.status, 'text/plain; charset=utf-8', answer.text)
  else if ('jsonText' in answer) sendBody(response, answer.status, 'application/json', `${answer.jsonText}\n`)
  else if (answer.json === undefined) {
    response.writeHead(
      answer.status,
      answer.status === 204 || answer.status === 304 ? {} : { 'Content-Length': '0' },
    )
    response.end()
    // Go's encoder ends each document with a line feed; clients that read by lines rely on it.
  } else sendBody(response, answer.status, 'application/json', `${stringifyJson(answer.json)}\n`)
}

/** A body that is refused is still read for so long, and what comes after is cut off. */
const lingerMs = 500

/**
 * Before an answer to a request whose body was not wanted: a client that is still sending would be stopped by a
 * broken connection and never read why.
 */
export async function discardBody(message: IncomingMessage, response: ServerResponse): Promise<void> {
  if (message.complete || message.destroyed) return
  response.shouldKeepAlive = false
  message.resume()
  await once(message, 'end', { signal: AbortSignal.timeout(lingerMs) }).catch(() => undefined)
}

function sendBody(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) })
  response.end(body)
}
