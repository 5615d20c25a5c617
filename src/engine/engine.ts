import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { isMureError, MureError } from '#lib/errors.ts'
import { parseJson, stringifyJson } from '#lib/lossless-json.ts'
import { splitImage } from './image-name.ts'
import { lines } from './lines.ts'
import { Liveness } from './liveness.ts'
import type { LivenessOptions } from './liveness.ts'
import { logFrames } from './log-frames.ts'
import type { LogFrame } from './log-frames.ts'
import { engineError, EngineTransport, readText } from './transport.ts'
import type { EngineRequest } from './transport.ts'
import type {
  ContainerInspect,
  ContainerSummary,
  EngineEvent,
  EngineInfo,
  EngineNetwork,
  EngineVersion,
  EngineVolume,
  ExitStatus,
} from './types.ts'

/** The version of the API that the typed calls speak: Debian's 20.10 knows it, and every later engine does. */
const apiVersion = '/v1.41'
const quickMs = 20_000
/** Calls that do work on the disk or in the kernel before they answer. */
const workMs = 60_000

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Default 20 s: an engine that takes longer for a plain call has stopped answering. */
  readonly timeoutMs?: number
}

export interface LogOptions {
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly follow?: boolean
  readonly timestamps?: boolean
  /** Seconds of the epoch, decimals allowed. */
  readonly since?: string
  /** How many lines from the end; default all. */
  readonly tail?: number
  readonly signal?: AbortSignal
}

export interface EngineOptions {
  readonly liveness?: LivenessOptions
}

/**
 * A typed client of one local Docker Engine. Errors: the engine's own refusals keep its sentence and have its status
 * in `details.engineStatus`; `unavailable` when it cannot be reached or has stopped answering; `timeout`, `cancelled`.
 */
export class Engine implements Disposable {
  readonly transport: EngineTransport
  readonly #liveness: Liveness

  /** `socket`: `unix:///path` or a path. */
  constructor(socket: string, options: EngineOptions = {}) {
    this.transport = new EngineTransport(socket.replace(/^unix:\/\//, ''))
    this.#liveness = new Liveness((timeoutMs) => this.ping({ timeoutMs }), options.liveness)
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
    const headers = options.registryAuth === undefined ? {} : { 'X-Registry-Auth': options.registryAuth }
    let failure: MureError | undefined
    for await (const line of this.#lines('POST', `/images/create?${query.toString()}`, {
      ...options,
      headers,
    })) {
      const message = JSON.parse(line) as { error?: string; status?: string; id?: string }
      if (message.error !== undefined) failure = engineError(500, message.error)
      else if (message.status !== undefined)
        options.onProgress?.(message.id === undefined ? message.status : `${message.id}: ${message.status}`)
    }
    if (failure !== undefined) throw failure
  }

  imageInspect(image: string, options?: CallOptions): Promise<{ Id: string; RepoDigests: string[] | null }> {
    return this.json('GET', `/images/${encodeURIComponent(image)}/json`, undefined, options)
  }

  async createContainer(name: string, body: object, options?: CallOptions): Promise<string> {
    const path = `/containers/create?name=${encodeURIComponent(name)}`
    const answer = await this.json<{ Id: string }>('POST', path, body, { timeoutMs: workMs, ...options })
    return answer.Id
  }

  async startContainer(id: string, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/start`, undefined, { timeoutMs: workMs, ...options })
  }

  /** Sends the stop signal, then kills after the grace period. Ends when the container has. */
  async stopContainer(id: string, graceSeconds: number, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/stop?t=${String(graceSeconds)}`, undefined, {
      timeoutMs: graceSeconds * 1_000 + quickMs,
      ...options,
    })
  }

  async killContainer(id: string, signalName = 'SIGKILL', options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/kill?signal=${signalName}`, undefined, options)
  }

  /** Resolves when the container has ended; at once if it has already. */
  async waitContainer(id: string, options: { signal?: AbortSignal } = {}): Promise<ExitStatus> {
    for await (const line of this.#lines('POST', `/containers/${id}/wait`, options)) {
      const { StatusCode, Error } = JSON.parse(line) as {
        StatusCode: number
        Error?: { Message: string } | null
      }
      return { exitCode: StatusCode, error: Error?.Message ?? '' }
    }
    throw new MureError('unavailable', `the engine did not say how container ${id} ended`)
  }

  inspectContainer(id: string, options?: CallOptions): Promise<ContainerInspect> {
    return this.json('GET', `/containers/${id}/json`, undefined, options)
  }

  /** Also the stopped ones. `labels`: all must match. */
  listContainers(labels: readonly string[], options?: CallOptions): Promise<ContainerSummary[]> {
    return this.json(
      'GET',
      `/containers/json?all=1&filters=${filterText({ label: labels })}`,
      undefined,
      options,
    )
  }

  async removeContainer(id: string, options?: CallOptions): Promise<void> {
    await this.#text('DELETE', `/containers/${id}?force=1&v=1`, undefined, { timeoutMs: workMs, ...options })
  }

  async renameContainer(id: string, name: string, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/rename?name=${encodeURIComponent(name)}`, undefined, options)
  }

  /** Resources and restart policy; the rest of a container never changes. */
  async updateContainer(id: string, body: object, options?: CallOptions): Promise<void> {
    await this.#text('POST', `/containers/${id}/update`, body, options)
  }

  /** Of a container without a terminal. */
  async *logs(id: string, options: LogOptions = {}): AsyncGenerator<LogFrame> {
    const query = new URLSearchParams({
      stdout: String(options.stdout ?? true),
      stderr: String(options.stderr ?? true),
      follow: String(options.follow ?? false),
      timestamps: String(options.timestamps ?? false),
      tail: options.tail === undefined ? 'all' : String(options.tail),
      ...(options.since === undefined ? {} : { since: options.since }),
    })
    using watched = this.#liveness.watch(options.signal)
    try {
      yield* logFrames(
        await this.#stream('GET', `/containers/${id}/logs?${query.toString()}`, watched.signal),
      )
    } catch (error) {
      throw watched.reason(error)
    }
  }

  async createNetwork(body: object, options?: CallOptions): Promise<string> {
    const answer = await this.json<{ Id: string }>('POST', '/networks/create', body, {
      timeoutMs: workMs,
      ...options,
    })
    return answer.Id
  }

  inspectNetwork(id: string, options?: CallOptions): Promise<EngineNetwork> {
    return this.json('GET', `/networks/${encodeURIComponent(id)}`, undefined, options)
  }

  /** `labels`: all must match. */
  listNetworks(labels: readonly string[], options?: CallOptions): Promise<EngineNetwork[]> {
    return this.json('GET', `/networks?filters=${filterText({ label: labels })}`, undefined, options)
  }

  async removeNetwork(id: string, options?: CallOptions): Promise<void> {
    await this.#text('DELETE', `/networks/${encodeURIComponent(id)}`, undefined, {
      timeoutMs: workMs,
      ...options,
    })
  }

  async connectNetwork(
    id: string,
    container: string,
    endpoint: object,
    options?: CallOptions,
  ): Promise<void> {
    const body = { Container: container, EndpointConfig: endpoint }
    await this.#text('POST', `/networks/${encodeURIComponent(id)}/connect`, body, {
      timeoutMs: workMs,
      ...options,
    })
  }

  async disconnectNetwork(
    id: string,
    container: string,
    options?: CallOptions & { readonly force?: boolean },
  ): Promise<void> {
    const body = { Container: container, Force: options?.force ?? true }
    await this.#text('POST', `/networks/${encodeURIComponent(id)}/disconnect`, body, {
      timeoutMs: workMs,
      ...options,
    })
  }

  createVolume(body: object, options?: CallOptions): Promise<EngineVolume> {
    return this.json('POST', '/volumes/create', body, { timeoutMs: workMs, ...options })
  }

  inspectVolume(name: string, options?: CallOptions): Promise<EngineVolume> {
    return this.json('GET', `/volumes/${encodeURIComponent(name)}`, undefined, options)
  }

  async removeVolume(name: string, options?: CallOptions): Promise<void> {
    await this.#text('DELETE', `/volumes/${encodeURIComponent(name)}`, undefined, {
      timeoutMs: workMs,
      ...options,
    })
  }

  /** What happens from now on, or from `since` (nanoseconds of the epoch), until the engine or the signal ends it. */
  async *events(options: {
    signal: AbortSignal
    types: readonly string[]
    since?: bigint
    onOpen?: () => void
  }): AsyncGenerator<EngineEvent> {
    const query = new URLSearchParams({ filters: JSON.stringify({ type: options.types }) })
    if (options.since !== undefined) query.set('since', seconds(options.since))
    for await (const line of this.#lines('GET', `/events?${query.toString()}`, options))
      yield parseJson(line) as EngineEvent
  }

  async json<T>(method: string, path: string, body?: unknown, options?: CallOptions): Promise<T> {
    return parseJson(await this.#text(method, path, body, options)) as T
  }

  /** Any call, with its answer's body as a stream. */
  raw(request: EngineRequest): Promise<IncomingMessage> {
    return this.transport.request(request)
  }

  /** The lines of a long answer, until it ends or the engine stops answering. */
  async *#lines(
    method: string,
    path: string,
    options: { signal?: AbortSignal; headers?: OutgoingHttpHeaders; onOpen?: () => void },
  ): AsyncGenerator<string> {
    using watched = this.#liveness.watch(options.signal)
    try {
      const response = await this.#stream(method, path, watched.signal, options.headers)
      options.onOpen?.()
      yield* lines(response)
    } catch (error) {
      if (isMureError(error)) throw watched.reason(error)
      const brokenOff = `the engine broke off its answer to ${method} ${path}`
      throw watched.reason(new MureError('unavailable', brokenOff, { cause: error }))
    }
  }

  async #stream(
    method: string,
    path: string,
    signal: AbortSignal,
    headers: OutgoingHttpHeaders = {},
  ): Promise<IncomingMessage> {
    const response = await this.transport.request({ method, path: apiVersion + path, headers, signal })
    if (response.statusCode !== 200) throw engineError(response.statusCode ?? 0, await readText(response))
    return response
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
          : { headers: { 'content-type': 'application/json' }, body: stringifyJson(body) }),
      })
      const text = await readText(response)
      const status = response.statusCode ?? 0
      if (status >= 400 || status === 304) throw engineError(status, text)
      return text
    } catch (error) {
      if (options.signal?.aborted === true)
        throw new MureError('cancelled', 'the call to the engine was cancelled', { cause: error })
      if (timeout.aborted && !(isMureError(error) && error.details !== undefined))
        throw new MureError(
          'timeout',
          `the engine did not answer ${method} ${path} within ${String(timeoutMs / 1000)} s`,
          { cause: error },
        )
      throw error
    }
  }
}

const filterText = (filters: Readonly<Record<string, readonly string[]>>): string =>
  encodeURIComponent(JSON.stringify(filters))

/** Docker's times in queries: seconds with nine decimals. */
const seconds = (nano: bigint): string =>
  `${(nano / 1_000_000_000n).toString()}.${(nano % 1_000_000_000n).toString().padStart(9, '0')}`
