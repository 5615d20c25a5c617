import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { tmpdir } from 'node:os'
import { errorText, isMureError } from '#lib/errors.ts'
import type { NodeId } from '#model/id.ts'
import type { Listener } from '../http/listen.ts'
import { readJson } from '../http/read-json.ts'
import type { RequestHead } from '../http/request-head.ts'
import type { ApiRequest } from '../http/request.ts'
import { discardBody, send } from '../http/response.ts'
import type { ApiResponse } from '../http/response.ts'
import { Router } from '../http/router.ts'
import type { Route } from '../http/router.ts'
import type { Adaptation } from './adapt/adaptor.ts'
import { adaptors } from './adapt/table.ts'
import { callAdapted } from './adapted.ts'
import { isBulk } from './bulk.ts'
import { EngineFacts } from './engine-facts.ts'
import type { FacadeOptions } from './facade.ts'
import { toHttpError } from './http-status.ts'
import { Passthrough } from './passthrough.ts'
import { RemoteEngines } from './remote-engines.ts'
import type { EngineBehind } from './remote-engines.ts'
import { registerRoutes } from './routes/index.ts'
import { splice } from './splice.ts'
import type { SplicedRequest } from './splice.ts'
import { errorAnswer, inWordsOf, isOlder, splitVersion, versionRefusal } from './versions.ts'

/** A request's target, taken apart once. */
interface Target {
  readonly version: string | undefined
  /** Without version and query. */
  readonly path: string
  readonly query: string
}

/** One request after the other: refused, answered by a route, adapted, or handed to the engine. */
export class Dispatch implements Listener, AsyncDisposable {
  readonly #options: FacadeOptions
  readonly #facts: EngineFacts
  readonly #passthrough: Passthrough
  readonly #remotes: RemoteEngines
  readonly #router = new Router()

  constructor(options: FacadeOptions) {
    const { engine, logger } = options
    this.#options = options
    this.#facts = new EngineFacts(engine, logger)
    this.#passthrough = new Passthrough(engine.transport.socketPath, this.#facts, logger)
    this.#remotes = new RemoteEngines({
      node: options.node,
      facts: this.#facts,
      logger,
      folder: options.runDir ?? tmpdir(),
    })
    registerRoutes(this.#router, {
      node: options.node,
      engine,
      facts: this.#facts,
      passthrough: this.#passthrough,
      events: options.events,
      logger,
      newestVersion: () => this.#facts.newestVersion,
      forward: (request, body) => this.#forward(request, body),
      behind: (request) => this.#behind(this.#remotes.nodeOf(request.path)),
    })
    options.extend?.(this.#router)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#passthrough[Symbol.dispose]()
    await this.#remotes[Symbol.asyncDispose]()
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

  mayTake(head: RequestHead, socket: Duplex): boolean {
    const target = targetOf(head.url)
    const isTaken = () =>
      isBulk(head.method, target.path, target.query) && this.#isEngines(head.method, target)
    if (!isReadable(isTaken)) return false
    if (this.#remotes.nodeOf(target.path) !== undefined) return false
    this.#splice(
      this.#passthrough,
      { method: head.method, path: head.url, rawHeaders: head.rawHeaders },
      socket,
      head.rest,
      true,
    )
    return true
  }

  /** The engine's own endpoints that leave HTTP behind, as long as the client's version is served. */
  mayUpgrade(message: IncomingMessage): boolean {
    const target = targetOf(message.url)
    return isReadable(
      () => this.#isEngines(message.method, target) || this.#route(message.method, target)?.upgrades === true,
    )
  }

  onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = targetOf(message.url)
    if (this.#route(message.method, target) === undefined) {
      const remote = this.#remotes.nodeOf(target.path)
      if (remote === undefined) this.#splice(this.#passthrough, requestOf(message), socket, head)
      else {
        socket.on('error', () => socket.destroy())
        this.#remotes.open(remote).then(
          ({ passthrough }) => {
            this.#splice(passthrough, requestOf(message), socket, head)
          },
          () => socket.destroy(),
        )
      }
      return
    }
    // A route that does not take the connection answers as to any request.
    const response = new ServerResponse(message)
    response.assignSocket(socket as Socket)
    response.shouldKeepAlive = false
    response.once('finish', () => socket.end())
    socket.on('error', () => socket.destroy())
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
    const target = targetOf(message.url)
    const refusal = this.#refusal(target)
    const found = refusal === undefined ? this.#router.find(message.method ?? 'GET', target.path) : undefined
    const request = this.#request(message, response, target, found?.params ?? {}, upgrade)
    if (found !== undefined && target.path !== '/_ping') await this.#options.node.settled()
    if (refusal === undefined && found === undefined) {
      await send(response, await this.#forward(request))
      return
    }
    for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
    // RFC 7234's words for an answer that may be behind: the swarm has no quorum now.
    if (this.#options.node.info().isStale) response.setHeader('Warning', '110 mure "Response is Stale"')
    const tooOld = refusal ?? routeRefusal(found?.route, request.version)
    await send(
      response,
      tooOld === undefined && found !== undefined
        ? await found.route.handler(request)
        : errorAnswer(400, tooOld ?? '', target.version),
    )
  }

  async #forward(request: ApiRequest, body?: unknown): Promise<ApiResponse> {
    const { message, response, upgrade } = request
    const remote = this.#remotes.nodeOf(request.path)
    const { engine, passthrough } = await this.#behind(remote)
    if (remote !== undefined && request.method === 'POST' && /\/exec$/.test(request.path)) {
      const made = await engine.json<{ Id: string }>('POST', request.path, body ?? (await request.json()))
      this.#remotes.remember(made.Id, remote)
      return { status: 201, json: made }
    }
    if (upgrade !== undefined) {
      response.detachSocket(upgrade.socket as Socket)
      this.#splice(passthrough, requestOf(message), upgrade.socket, upgrade.head)
      return 'streamed'
    }
    const adaptation = this.#adaptation(request.method, request.path, request.version)
    for (const adaptor of adaptation?.adaptors ?? []) adaptor.check?.(request.query)
    if (adaptation?.adaptors.some((adaptor) => adaptor.adapt !== undefined) === true) {
      for (const [name, value] of Object.entries(this.#headers())) response.setHeader(name, value)
      const behind = { engine, apiVersion: this.#facts.apiVersion }
      return callAdapted(request, adaptation, behind, body)
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    await passthrough.forward(message, response, body)
    return 'streamed'
  }

  #behind(remote: NodeId | undefined): Promise<EngineBehind> {
    if (remote !== undefined) return this.#remotes.open(remote)
    return Promise.resolve({ engine: this.#options.engine, passthrough: this.#passthrough })
  }

  #splice(
    passthrough: Passthrough,
    request: SplicedRequest,
    client: Duplex,
    rest: Buffer,
    isBulk = false,
  ): void {
    splice(
      { ...request, path: passthrough.enginePath(request.path) },
      {
        engineSocket: passthrough.socketPath,
        unreachable: passthrough.unreachable,
        client,
        rest,
        isBulk,
        onUnreachable: (error) => {
          passthrough.lostContact(error)
        },
      },
    )
  }

  #adaptation(method: string, path: string, clientVersion: string): Adaptation | undefined {
    return adaptors.find({ method, path, clientVersion }, this.#facts.apiVersion)
  }

  /** Whether a call goes to the engine as it is: in a version that is served, with no route and no adaptor of ours. */
  #isEngines(method: string | undefined, target: Target): boolean {
    const version = target.version ?? this.#facts.newestVersion
    return (
      this.#refusal(target) === undefined &&
      this.#route(method, target) === undefined &&
      this.#adaptation(method ?? 'GET', target.path, version) === undefined
    )
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

  #route(method: string | undefined, target: Target): Route | undefined {
    try {
      return this.#router.find(method ?? 'GET', target.path)?.route
    } catch {
      // A path that cannot be read: the answer to the request says so.
      return undefined
    }
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
    const { status, message: words } = toHttpError(error)
    const text = inWordsOf(targetOf(message.url).version ?? this.#facts.newestVersion, words)
    if (status === 500)
      this.#options.logger.error('a request failed', { path: message.url, error: errorText(error) })
    if (response.headersSent) {
      response.destroy()
      return
    }
    discardBody(message, response)
      .then(() => send(response, errorAnswer(status, text, targetOf(message.url).version)))
      .catch(() => response.destroy())
  }
}

const requestOf = ({ method, url, rawHeaders }: IncomingMessage): SplicedRequest => ({
  method,
  path: url ?? '/',
  rawHeaders,
})

function targetOf(url = '/'): Target {
  const question = url.indexOf('?')
  const { version, rest } = splitVersion(question < 0 ? url : url.slice(0, question))
  return { version, path: rest, query: question < 0 ? '' : url.slice(question + 1) }
}

/** @see moby daemon/server/router/local.go: the same sentence */
function routeRefusal(route: Route | undefined, version: string): string | undefined {
  if (route?.minVersion === undefined || !isOlder(version, route.minVersion)) return undefined
  return `${route.method} ${route.pattern} requires minimum API version ${route.minVersion}`
}

/** A path that cannot be read is refused where it is answered: not by who only asks whose it is. */
function isReadable(ask: () => boolean): boolean {
  try {
    return ask()
  } catch (error) {
    if (isMureError(error, 'invalid')) return false
    throw error
  }
}
