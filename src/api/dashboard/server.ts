import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { EngineTransport } from '#engine/transport.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { LocalNode } from '../backend.ts'
import { listen } from '../http/listen.ts'
import type { Listener, Listening, ListenTls } from '../http/listen.ts'
import { readJson } from '../http/read-json.ts'
import type { ApiRequest } from '../http/request.ts'
import { discardBody, send } from '../http/response.ts'
import type { ApiResponse } from '../http/response.ts'
import { Access } from './auth/access.ts'
import { Feed } from './feed/feed.ts'
import { toHttpError } from './http-status.ts'
import { Assets } from './page/assets.ts'
import { commonHeaders, pagePolicy } from './page/headers.ts'
import { registerInsightRoutes } from './routes/insight.ts'
import { registerLogRoutes } from './routes/logs.ts'
import { registerNodeRoutes } from './routes/nodes.ts'
import { registerObjectRoutes } from './routes/objects.ts'
import { RouteTable } from './routes/route-table.ts'
import { registerServiceRoutes } from './routes/services.ts'
import { registerSessionRoutes } from './routes/session.ts'
import { registerStackRoutes } from './routes/stacks.ts'
import { registerStreamRoute } from './routes/stream.ts'
import { registerTerminalRoutes } from './routes/terminal.ts'

export interface DashboardOptions {
  /** `tcp://address:port`; beyond loopback too, as nothing is answered without a login. */
  readonly host: string
  readonly tls?: ListenTls
  readonly node: LocalNode
  /** Where Docker's API is served on this host: logs and terminals are asked for there, as by any other client. */
  readonly dockerSocket: string
  readonly clock: Clock
  readonly logger: Logger
}

export interface Dashboard extends AsyncDisposable {
  readonly listening: Listening
}

const keyTimeoutMs = 10_000

/** The page, and what it asks for, at a port of its own. Every manager serves the same; sessions hold on all of them. */
export async function startDashboard(options: DashboardOptions): Promise<Dashboard> {
  await using started = new AsyncDisposableStack()
  const server = new DashboardServer(options)
  started.use(server)
  const listening = started.use(await listen(options.host, server, options.tls, 'asks for a login'))
  const owned = started.move()
  return { listening, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

class DashboardServer implements Listener, Disposable {
  readonly #options: DashboardOptions
  readonly #assets = new Assets()
  readonly #feed: Feed
  readonly #docker: EngineTransport
  readonly #routes: RouteTable

  constructor(options: DashboardOptions) {
    const { node, clock } = options
    const now = () => clock.now()
    this.#options = options
    this.#feed = new Feed(node, now)
    this.#docker = new EngineTransport(options.dockerSocket)
    const access = new Access({ key: () => this.#key(), now, isSecure: options.tls !== undefined })
    this.#routes = new RouteTable(access)
    registerSessionRoutes(this.#routes, access, node)
    registerStreamRoute(this.#routes, this.#feed, access)
    registerServiceRoutes(this.#routes, node)
    registerNodeRoutes(this.#routes, node)
    registerObjectRoutes(this.#routes, node)
    registerInsightRoutes(this.#routes, node)
    registerLogRoutes(this.#routes, node, this.#docker)
    registerStackRoutes(this.#routes, options.dockerSocket)
    registerTerminalRoutes(this.#routes, { node, docker: this.#docker, logger: options.logger })
  }

  [Symbol.dispose](): void {
    this.#feed[Symbol.dispose]()
    this.#docker.close()
  }

  onRequest(message: IncomingMessage, response: ServerResponse): void {
    this.#answer(message, response).catch((error: unknown) => {
      this.#fail(message, response, error)
    })
  }

  mayUpgrade(): boolean {
    return false
  }

  onUpgrade(_message: IncomingMessage, socket: { destroy(): void }): void {
    socket.destroy()
  }

  async #key(): Promise<Buffer> {
    using wait = startWait({ timeoutMs: keyTimeoutMs, what: 'the key of the dashboard' })
    return this.#options.node.control().accessKey({ wait })
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value)
    const url = new URL(message.url ?? '/', 'http://dashboard')
    const method = message.method === 'HEAD' ? 'GET' : (message.method ?? 'GET')
    if (method === 'GET' && !url.pathname.startsWith('/api/')) {
      await this.#servePage(url.pathname, message, response)
      return
    }
    response.setHeader('Cache-Control', 'no-store')
    const found = this.#routes.router.find(method, url.pathname)
    if (found === undefined) throw new MureError('not-found', `there is no ${method} ${url.pathname} here`)
    await send(response, await found.route.handler(requestOf(message, response, url, method, found.params)))
  }

  async #servePage(path: string, message: IncomingMessage, response: ServerResponse): Promise<void> {
    if (path === '/') {
      const nonce = randomBytes(16).toString('base64url')
      const page = await this.#assets.page(nonce)
      response.setHeader('Content-Security-Policy', pagePolicy(nonce))
      response.setHeader('Cache-Control', 'no-store')
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' })
      response.end(page)
      return
    }
    const asset = await this.#assets.get(path)
    if (asset === undefined) throw new MureError('not-found', `there is no ${path} here`)
    const { type, body, etag } = asset
    response.setHeader('Cache-Control', 'no-cache')
    response.setHeader('ETag', etag)
    if (message.headers['if-none-match'] === etag) {
      await send(response, { status: 304 })
      return
    }
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length })
    response.end(body)
  }

  #fail(message: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.destroyed) return
    const { status, message: text, retryAfter } = toHttpError(error)
    if (status === 500)
      this.#options.logger.error('a request of the dashboard failed', {
        path: message.url,
        error: errorText(error),
      })
    if (response.headersSent) {
      response.destroy()
      return
    }
    const headers = retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }
    discardBody(message, response)
      .then(() => send(response, { status, headers, json: { message: text } } satisfies ApiResponse))
      .catch(() => response.destroy())
  }
}

function requestOf(
  message: IncomingMessage,
  response: ServerResponse,
  url: URL,
  method: string,
  params: Readonly<Record<string, string>>,
): ApiRequest {
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
  })
  return {
    method,
    path: url.pathname,
    params,
    query: url.searchParams,
    version: '',
    message,
    response,
    signal: gone.signal,
    json: () => readJson(message),
  }
}
