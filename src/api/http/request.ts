import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** One call as a handler sees it. */
export interface ApiRequest {
  readonly method: string
  /** Without version and query. */
  readonly path: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** As asked for in the path, or the newest one: `1.41`. */
  readonly version: string
  /** Its stream is the raw body. */
  readonly message: IncomingMessage
  /** For handlers that answer byte by byte; they return `streamed`. */
  readonly response: ServerResponse
  /**
   * The bare connection of a client that asked to leave HTTP behind (attach, exec). A handler that takes it returns
   * `streamed` and writes nothing to `response`. The request's body, if it has one, begins in `head`.
   */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer }
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal
  /** The body as JSON; `invalid` for anything else. An empty body is undefined. */
  json(): Promise<unknown>
}
