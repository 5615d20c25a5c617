import { readFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { RequestOptions as HttpsOptions } from 'node:https'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { engineError, readText } from '#engine/transport.ts'
import { defined } from '#lib/defined.ts'
import { MureError, systemCode } from '#lib/errors.ts'

/** A call to the daemon, as its API has it. */
export interface DaemonRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** `/mure/v1/…`, or any path of Docker's API. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: OutgoingHttpHeaders
  readonly json?: unknown
  readonly body?: Readable
  readonly signal?: AbortSignal
}

/**
 * The daemon that the docker CLI would speak to: `--host`, or DOCKER_HOST, or the standard socket; with TLS by
 * DOCKER_TLS_VERIFY and DOCKER_CERT_PATH.
 */
export class DaemonClient {
  readonly #host: string

  constructor(host: string | undefined) {
    this.#host = host ?? process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock'
  }

  /** The answer's JSON. */
  async json<T>(request: DaemonRequest): Promise<T> {
    return JSON.parse(await readText(await this.stream(request))) as T
  }

  /** For a call whose answer says no more than that it was done. */
  async send(request: DaemonRequest): Promise<void> {
    await readText(await this.stream(request))
  }

  /** The answer's body, to be read while it comes. Throws what the daemon refuses, with its sentence. */
  async stream(request: DaemonRequest): Promise<IncomingMessage> {
    const response = await this.answer(request)
    const status = response.statusCode ?? 0
    if (status >= 200 && status < 300) return response
    throw engineError(status, await readText(response))
  }

  /** The answer as it came, whatever its status. */
  async answer(request: DaemonRequest): Promise<IncomingMessage> {
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(request.query ?? {}))
      if (value !== undefined) query.set(name, value)
    const body = request.json === undefined ? undefined : JSON.stringify(request.json)
    const options: HttpsOptions = {
      method: request.method,
      path: `${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`,
      headers: {
        host: 'mure',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.signal === undefined ? {} : { signal: request.signal }),
      ...(await this.#destination()),
    }
    return new Promise((resolve, reject) => {
      const call = options.cert !== undefined ? httpsRequest(options) : httpRequest(options)
      call.once('response', resolve)
      call.once('error', (error) => {
        reject(this.#failure(error))
      })
      if (request.body === undefined) call.end(body)
      // A daemon that has answered already does not read the rest; its answer says why.
      else pipeline(request.body, call).catch(() => undefined)
    })
  }

  async #destination(): Promise<HttpsOptions> {
    const url = new URL(this.#host)
    if (url.protocol === 'unix:') return { socketPath: url.pathname }
    if (url.protocol !== 'tcp:')
      throw new MureError('invalid', `--host is unix:///path or tcp://address:port, not "${this.#host}"`)
    const where = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || '2375') }
    if ((process.env['DOCKER_TLS_VERIFY'] ?? '') === '') return where
    const folder = process.env['DOCKER_CERT_PATH'] ?? join(homedir(), '.docker')
    const [ca, cert, key] = await Promise.all(
      ['ca.pem', 'cert.pem', 'key.pem'].map((name) => readFile(join(folder, name))),
    )
    return defined({ ...where, ca, cert, key })
  }

  #failure(error: Error): MureError {
    const code = systemCode(error)
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES')
      return new MureError(
        'unavailable',
        `cannot reach mured at ${this.#host} (${code}): is it running, and may you speak to it?`,
        { cause: error },
      )
    return new MureError('unavailable', `the call to ${this.#host} failed: ${error.message}`, {
      cause: error,
    })
  }
}
