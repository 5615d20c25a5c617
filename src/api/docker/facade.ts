import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Engine } from '#engine/engine.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { listen } from '../http/listen.ts'
import type { Listening, ListenTls } from '../http/listen.ts'
import { readJson } from '../http/read-json.ts'
import type { ApiRequest } from '../http/request.ts'
import { discardBody, send } from '../http/response.ts'
import type { ApiResponse } from '../http/response.ts'
import { Router } from '../http/router.ts'
import type { Route } from '../http/router.ts'
import { adaptors } from './adapt/table.ts'
import { callAdapted } from './adapted.ts'
import type { LocalNode } from './backend.ts'
import { EngineFacts } from './engine-facts.ts'
import type { ClusterEvents } from './events/source.ts'
import { toHttpError } from './http-status.ts'
import { Passthrough } from './passthrough.ts'
import { registerRoutes } from './routes/index.ts'
import { isArchive, splice } from './splice.ts'
import { isOlder, splitVersion, versionRefusal } from './versions.ts'

export interface FacadeOptions {
  /** `unix:///path` or `tcp://address:port`. */
  readonly hosts: readonly string[]
  /** For the TCP hosts; those beyond loopback need it, with an authority. */
  readonly tls: ListenTls | undefined
  readonly engine: Engine
  readonly node: LocalNode
  /** What happens in the cluster, for `docker events`. Default: nothing beside the engine's own events. */
  readonly events?: ClusterEvents
  readonly logger: Logger
}

/** What the routes stand on. */
export interface FacadeParts {
  readonly node: LocalNode
  readonly engine: Engine
  readonly facts: EngineFacts
  readonly passthrough: Passthrough
  readonly events: ClusterEvents | undefined
  readonly logger: Logger
  /** The newest API version that is served. */
  newestVersion(): string
  /**
   * Hands a request on to the engine, as if no route had taken it. `body`: its JSON, if the route has read it; a
   * route may change it on the way.
   */
  forward(request: ApiRequest, body?: unknown): Promise<ApiResponse>
}

export interface DockerFacade extends AsyncDisposable {
  readonly listening: readonly Listening[]
  /** Reads the TLS certificates again. */
  reload(): Promise<void>
}

/** The Docker Engine API at the hosts given: the cluster's part answered here, all the rest by the local engine. */
export async function startDockerFacade(options: FacadeOptions): Promise<DockerFacade> {
  const facade = new Facade(options)
  await facade.learnEngine()
  await using started = new AsyncDisposableStack()
  started.use(facade)
  const listening: Listening[] = []
  for (const host of options.hosts) listening.push(started.use(await listen(host, facade, options.tls)))
  const owned = started.move()
  return {
    listening,
    async reload() {
      for (const one of listening) await one.reload()
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** A request's target, taken apart once. */
interface Target {
  readonly version: string | undefined
  /** Without version and query. */
  readonly path: string
  readonly query: string
}

class Facade implements Disposable {
  readonly #options: FacadeOptions
  readonly #facts: EngineFacts
  readonly #passthrough: Passthrough
  readonly #router = new Router()

  constructor(options: FacadeOptions) {
    const { engine, logger } = options
    this.#options = options
    this.#facts = new EngineFacts(engine, logger)
    this.#passthrough = new Passthrough(engine.transport.socketPath, this.#facts, logger)
    registerRoutes(this.#router, {
      node: options.node,
      engine,
      facts: this.#facts,
      passthrough: this.#passthrough,
      events: options.events,
      logger,
      newestVersion: () => this.#facts.newestVersion,
      forward: (request, body) => this.#forward(request, body),
    })
  }

  [Symbol.dispose](): void {
    this.#passthrough[Symbol.dispose]()
  }

  /** An engine that is down now is asked again when clients come. */
  learnEngine(): Promise<void> {
    return this.#facts.learn()
  }

  onRequest(message: IncomingMessage, response: ServerResponse): void {
    this.#answer(message, response).catch((error: unknown) => {
      this.#fail(message, response, error)
    })
  }

  /** The engine's own endpoints that leave HTTP behind, as long as the client's version is served. */
  mayUpgrade(message: IncomingMessage): boolean {
    const target = targetOf(message)
    if (this.#refusal(target) !== undefined) return false
    try {
      const found = this.#find(message, target)
      return found === undefined || found.route.upgrades === true
    } catch {
      // A path that cannot be read: the answer to the request says so.
      return false
    }
  }

  onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = targetOf(message)
    // A route that does not take the connection, and an engine that cannot be reached, answer as to any request.
    const response = new ServerResponse(message)
    response.assignSocket(socket as Socket)
    response.shouldKeepAlive = false
    response.once('finish', () => socket.end())
    socket.on('error', () => socket.destroy())
    if (this.#find(message, target) === undefined) this.#splice(message, response, { client: socket, head })
    else
      this.#answer(message, response, { socket, head }).catch((error: unknown) => {
        this.#fail(message, response, error)
      })
  }

  async #answer(
    message: IncomingMessage,
    response: ServerResponse,
    upgrade?: { socket: Duplex; head: Buffer },
  ): Promise<void> {
    await this.#facts.learn()
    const target = targetOf(message)
    const refusal = this.#refusal(target)
    const found = refusal === undefined ? this.#find(message, target) : undefined
    const request = this.#request(message, response, target, found?.params ?? {}, upgrade)
    if (refusal === undefined && found === undefined) {
      await send(response, await this.#forward(request))
      return
    }
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
    const tooOld = refusal ?? routeRefusal(found?.route, request.version)
    await send(
      response,
      tooOld === undefined && found !== undefined
        ? await found.route.handler(request)
        : { status: 400, json: { message: tooOld } },
    )
  }

  async #forward(request: ApiRequest, body?: unknown): Promise<ApiResponse> {
    const { message, response } = request
    const apiVersion = this.#facts.apiVersion
    const { method, path, version: clientVersion } = request
    const adaptation = adaptors.find({ method, path, clientVersion }, apiVersion)
    for (const adaptor of adaptation?.adaptors ?? []) adaptor.check?.(request.query)
    if (adaptation?.adaptors.some((adaptor) => adaptor.adapt !== undefined) === true) {
      for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
      return callAdapted(request, adaptation, { engine: this.#options.engine, apiVersion }, body)
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    if (isArchive(message, path) && response.socket !== null)
      this.#splice(message, response, { client: response.socket })
    else await this.#passthrough.forward(message, response, body)
    return 'streamed'
  }

  #splice(
    message: IncomingMessage,
    response: ServerResponse,
    connection: { client: Duplex; head?: Buffer },
  ): void {
    splice(message, {
      engineSocket: this.#passthrough.socketPath,
      path: this.#passthrough.enginePath(message.url ?? '/'),
      ...connection,
      onUnreachable: (error) => {
        this.#passthrough.unreachable(response, error)
      },
    })
  }

  #request(
    message: IncomingMessage,
    response: ServerResponse,
    target: Target,
    params: Record<string, string>,
    upgrade: ApiRequest['upgrade'],
  ): ApiRequest {
    const gone = new AbortController()
    response.once('close', () => {
      gone.abort()
    })
    return {
      method: message.method ?? 'GET',
      path: target.path,
      params,
      query: new URLSearchParams(target.query),
      version: target.version ?? this.#facts.newestVersion,
      message,
      response,
      ...(upgrade === undefined ? {} : { upgrade }),
      signal: gone.signal,
      json: () => {
        if (message.headers.expect?.toLowerCase() === '100-continue') response.writeContinue()
        return readJson(message)
      },
    }
  }

  #find(message: IncomingMessage, target: Target) {
    return this.#router.find(message.method ?? 'GET', target.path)
  }

  #refusal({ version }: Target): string | undefined {
    if (version === undefined) return undefined
    return versionRefusal(version, this.#facts.newestVersion, this.#facts.oldestVersion)
  }

  /** What Docker says in every answer. */
  #headers(): Record<string, string> {
    return {
      'Api-Version': this.#facts.newestVersion,
      'Docker-Experimental': this.#facts.experimental,
      Ostype: 'linux',
      ...(this.#facts.server === '' ? {} : { Server: this.#facts.server }),
    }
  }

  #fail(message: IncomingMessage, response: ServerResponse, error: unknown): void {
    // A client that has gone hears no answer, and what broke off with it is no fault.
    if (response.destroyed) return
    const { status, message: text } = toHttpError(error)
    if (status === 500)
      this.#options.logger.error('a request failed', { path: message.url, error: errorText(error) })
    if (response.headersSent) {
      response.destroy()
      return
    }
    discardBody(message, response)
      .then(() => send(response, { status, json: { message: text } }))
      .catch(() => response.destroy())
  }
}

function targetOf(message: IncomingMessage): Target {
  const url = message.url ?? '/'
  const question = url.indexOf('?')
  const { version, rest } = splitVersion(question < 0 ? url : url.slice(0, question))
  return { version, path: rest, query: question < 0 ? '' : url.slice(question + 1) }
}

/** @see moby daemon/server/router/local.go: the same sentence */
function routeRefusal(route: Route | undefined, version: string): string | undefined {
  if (route?.minVersion === undefined || !isOlder(version, route.minVersion)) return undefined
  return `${route.method} ${route.pattern} requires minimum API version ${route.minVersion}`
}
