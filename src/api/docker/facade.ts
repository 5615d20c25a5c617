import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Engine } from '#engine/engine.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { listen } from '../http/listen.ts'
import type { ListenTls } from '../http/listen.ts'
import { readJson } from '../http/request.ts'
import type { ApiRequest } from '../http/request.ts'
import { send } from '../http/response.ts'
import { Router } from '../http/router.ts'
import type { LocalNode } from './backend.ts'
import { toHttpError } from './http-status.ts'
import { Passthrough } from './passthrough.ts'
import { registerRoutes } from './routes/index.ts'
import { newer, newestVersion, oldestVersion, splitVersion, versionRefusal } from './versions.ts'

export interface FacadeOptions {
  readonly hosts: readonly string[]
  readonly tls: ListenTls | undefined
  readonly engine: Engine
  readonly node: LocalNode
  readonly logger: Logger
}

/** What the routes stand on. */
export interface FacadeParts {
  readonly node: LocalNode
  readonly engine: Engine
  readonly passthrough: Passthrough
  readonly logger: Logger
  /** The newest API version that is served. */
  newestVersion(): string
  readonly oldestVersion: string
}

/** The Docker Engine API at the hosts given: the cluster's part answered here, all the rest by the local engine. */
export async function startDockerFacade(options: FacadeOptions): Promise<AsyncDisposable> {
  const passthrough = new Passthrough(options.engine.transport.socketPath, options.logger)
  let newest = newestVersion
  const learnEngine = async () => {
    const version = await options.engine.version({ timeoutMs: 5_000 })
    passthrough.engineVersion = version.ApiVersion
    newest = newer(newestVersion, version.ApiVersion)
  }
  // An engine that is down now is asked for its version when the first client comes.
  let learned = await learnEngine().then(
    () => true,
    () => false,
  )
  const router = new Router()
  const parts: FacadeParts = {
    node: options.node,
    engine: options.engine,
    passthrough,
    logger: options.logger,
    newestVersion: () => newest,
    oldestVersion,
  }
  registerRoutes(router, parts)

  const answer = async (message: IncomingMessage, response: ServerResponse) => {
    if (!learned)
      learned = await learnEngine().then(
        () => true,
        () => false,
      )
    const url = message.url ?? '/'
    const question = url.indexOf('?')
    const { version, rest } = splitVersion(question < 0 ? url : url.slice(0, question))
    const refusal = version === undefined ? undefined : versionRefusal(version, newest)
    response.setHeader('Api-Version', newest)
    response.setHeader('Ostype', 'linux')
    response.setHeader('Docker-Experimental', 'false')
    if (refusal !== undefined) {
      send(response, { status: 400, json: { message: refusal } })
      return
    }
    const route = router.find(message.method ?? 'GET', rest)
    if (route === undefined) {
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      await passthrough.forward(message, response)
      return
    }
    const gone = new AbortController()
    response.once('close', () => {
      gone.abort()
    })
    const request: ApiRequest = {
      method: message.method ?? 'GET',
      path: rest,
      params: route.params,
      query: new URLSearchParams(question < 0 ? '' : url.slice(question + 1)),
      version: version ?? newest,
      message,
      response,
      signal: gone.signal,
      json: () => readJson(message),
    }
    send(response, await route.handler(request))
  }

  const listener = {
    onRequest(message: IncomingMessage, response: ServerResponse) {
      answer(message, response).catch((error: unknown) => {
        const { status, message: text } = toHttpError(error)
        if (status === 500)
          options.logger.error('a request failed', { path: message.url, error: errorText(error) })
        if (response.headersSent) response.destroy()
        else {
          send(response, { status, json: { message: text } })
          // What is left of a body that was refused is not waited for.
          if (!message.complete) message.destroy()
        }
      })
    },
    onUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer) {
      passthrough.upgrade(message, socket, head)
    },
  }
  await using started = new AsyncDisposableStack()
  for (const host of options.hosts) started.use(await listen(host, listener, options.tls))
  started.defer(() => {
    passthrough.close()
  })
  return started.move()
}
