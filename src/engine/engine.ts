import type { IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { MureError } from '#lib/errors.ts'
import { engineError, EngineTransport, readText } from './transport.ts'
import type { EngineRequest } from './transport.ts'
import type { ContainerInspect, ContainerSummary, EngineEvent, EngineInfo, EngineVersion } from './types.ts'

/** The version of the API that the typed calls speak: Debian's 20.10 knows it, and every later engine does. */
const apiVersion = '/v1.41'
const quickMs = 20_000

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Default 20 s: an engine that takes longer for a plain call has stopped answering. */
  readonly timeoutMs?: number
}

/** A typed client of one local Docker Engine. */
export class Engine implements Disposable {
  readonly transport: EngineTransport

  /** `socket`: `unix:///path` or a path. */
  constructor(socket: string) {
    this.transport = new EngineTransport(socket.replace(/^unix:\/\//, ''))
  }

  [Symbol.dispose](): void {
    this.transport.close()
  }

  async ping(options?: CallOptions): Promise<void> {
    await this.#text('GET', '/_ping', undefined, options)
  }

  version(options?: CallOptions): Promise<EngineVersion> {
    return this.json('GET', '/version', undefined, options)
  }

  info(options?: CallOptions): Promise<EngineInfo> {
    return this.json('GET', '/info', undefined, options)
  }

  /** Pulls an image and waits for the end of it. The engine reports failures inside a stream that began well. */
  async pull(
    image: string,
    options: { registryAuth?: string; signal?: AbortSignal; onProgress?: (text: string) => void } = {},
  ): Promise<void> {
    const { name, tag } = splitImage(image)
    const query = new URLSearchParams({ fromImage: name, tag })
    const response = await this.transport.request({
      method: 'POST',
      path: `${apiVersion}/images/create?${query.toString()}`,
      headers: options.registryAuth === undefined ? {} : { 'X-Registry-Auth': options.registryAuth },
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    })
    if (response.statusCode !== 200) throw engineError(response.statusCode ?? 0, await readText(response))
    let last: MureError | undefined
    for await (const line of createInterface({ input: response, crlfDelay: Infinity })) {
      if (line === '') continue
      const message = JSON.parse(line) as { error?: string; status?: string; id?: string }
      if (message.error !== undefined) last = engineError(500, message.error)
      else if (message.status !== undefined)
        options.onProgress?.(message.id === undefined ? message.status : `${message.id}: ${message.status}`)
    }
    if (last !== undefined) throw last
  }

  imageInspect(image: string, options?: CallOptions): Promise<{ Id: string; RepoDigests: string[] | null }> {
    return this.json('GET', `/images/${encodeURIComponent(image)}/json`, undefined, options)
  }

  async createContainer(name: string, body: object, options?: CallOptions): Promise<string> {
    const answer = await this.json<{ Id: string }>(
      'POST',
      `/containers/create?name=${encodeURIComponent(name)}`,
      body,
      { timeoutMs: 60_000, ...options },
    )
    return answer.Id
  }

  async startContainer(id: string, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/start`, undefined, { timeoutMs: 60_000, ...options })
  }

  /** Sends the stop signal, then kills after the grace period. Ends when the container has. */
  async stopContainer(id: string, graceSeconds: number, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/stop?t=${String(graceSeconds)}`, undefined, {
      timeoutMs: (graceSeconds + 20) * 1_000,
      ...options,
    })
  }

  inspectContainer(id: string, options?: CallOptions): Promise<ContainerInspect> {
    return this.json('GET', `/containers/${id}/json`, undefined, options)
  }

  /** Also the stopped ones. `labels`: all must match. */
  listContainers(labels: readonly string[], options?: CallOptions): Promise<ContainerSummary[]> {
    const filters = encodeURIComponent(JSON.stringify({ label: labels }))
    return this.json('GET', `/containers/json?all=1&filters=${filters}`, undefined, options)
  }

  async removeContainer(id: string, options?: CallOptions): Promise<void> {
    await this.#text('DELETE', `/containers/${id}?force=1&v=1`, undefined, { timeoutMs: 60_000, ...options })
  }

  /** What happens from now on (or from `sinceSeconds`), until the engine or the signal ends it. */
  async *events(options: {
    signal: AbortSignal
    types: readonly string[]
    sinceSeconds?: number
    onOpen?: () => void
  }): AsyncGenerator<EngineEvent> {
    const query = new URLSearchParams({ filters: JSON.stringify({ type: options.types }) })
    if (options.sinceSeconds !== undefined) query.set('since', String(options.sinceSeconds))
    const response = await this.transport.request({
      method: 'GET',
      path: `${apiVersion}/events?${query.toString()}`,
      signal: options.signal,
    })
    if (response.statusCode !== 200) throw engineError(response.statusCode ?? 0, await readText(response))
    options.onOpen?.()
    for await (const line of createInterface({ input: response, crlfDelay: Infinity }))
      if (line !== '') yield JSON.parse(line) as EngineEvent
  }

  async json<T>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<T> {
    return JSON.parse(await this.#text(method, path, body, options)) as T
  }

  /** Any call, with its answer's body as a stream. */
  raw(request: EngineRequest): Promise<IncomingMessage> {
    return this.transport.request(request)
  }

  async #text(method: string, path: string, body: unknown, options: CallOptions = {}): Promise<string> {
    const timeoutMs = options.timeoutMs ?? quickMs
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout])
    try {
      const response = await this.transport.request({
        method,
        path: apiVersion + path,
        signal,
        ...(body === undefined
          ? {}
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
      })
      const text = await readText(response)
      const status = response.statusCode ?? 0
      if (status >= 400 || status === 304) throw engineError(status, text)
      return text
    } catch (error) {
      if (timeout.aborted && !(error instanceof MureError && error.details !== undefined))
        throw new MureError(
          'timeout',
          `the engine did not answer ${method} ${path} within ${String(timeoutMs / 1000)} s`,
          { cause: error },
        )
      throw error
    }
  }
}

/** `name` and tag or digest as the engine's pull wants them; no tag means latest. */
export function splitImage(image: string): { name: string; tag: string } {
  const digest = image.indexOf('@')
  if (digest >= 0)
    return { name: image.slice(0, digest).replace(/:[^:/]+$/, ''), tag: image.slice(digest + 1) }
  const colon = image.lastIndexOf(':')
  if (colon > image.lastIndexOf('/')) return { name: image.slice(0, colon), tag: image.slice(colon + 1) }
  return { name: image, tag: 'latest' }
}
