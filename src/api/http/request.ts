import type { IncomingMessage, ServerResponse } from 'node:http'
import { MureError } from '#lib/errors.ts'

/** Specs with configs and secrets inside stay far below this; what is larger is a mistake or an attack. */
const maxJsonBytes = 32 * 1024 * 1024
/** Real requests are some ten levels deep. */
const maxJsonDepth = 200

/** One call as a handler sees it. */
export interface ApiRequest {
  readonly method: string
  /** Without version and query. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** As asked for in the path, or the newest one: `1.41`. */
  readonly version: string
  readonly message: IncomingMessage
  /** For handlers that answer byte by byte; they return `streamed`. */
  readonly response: ServerResponse
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** The body as JSON; `invalid` for anything else. An empty body is undefined. */
  json(): Promise<unknown>
}

export async function readJson(message: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxJsonBytes) throw new MureError('invalid', 'http: request body too large')
    chunks.push(chunk)
  }
  if (bytes === 0) return undefined
  const text = Buffer.concat(chunks).toString()
  refuseDepth(text)
  try {
    return JSON.parse(text)
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'it cannot be read'
    throw new MureError('invalid', `invalid JSON: ${reason}`, { cause: error })
  }
}

/** Before parsing: a parser that recurses would fall over first. */
function refuseDepth(text: string): void {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 0x5c) i++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > maxJsonDepth) throw new MureError('invalid', 'invalid JSON: it is nested too deeply')
    } else if (char === 0x7d || char === 0x5d) depth--
  }
}
