import { connect as connectHttp2 } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeRole } from '#model/node.ts'
import { digestHex, rootDigest } from '#security/join-token.ts'
import { maxBodyBytes, readBody } from './body.ts'
import { dial, verifyServer } from './dial.ts'
import { connectionWindowBytes, maxSessionMemory, settings } from './http2-settings.ts'
import { defaultKeepAlive, keepAlive } from './keepalive.ts'
import type { KeepAlive } from './keepalive.ts'
import { FramedMessageStream } from './message-stream.ts'
import type { RootCertificateAnswer } from './messages.ts'
import { RawStream } from './raw-stream.ts'
import type { Identity, MessageStream, RpcClient } from './transport.ts'
import { errorOfAnswer } from './wire-error.ts'

export interface ConnectOptions {
  /** Who we are; absent while joining. */
  readonly identity?: Pick<Identity, 'certificate' | 'key'>
  /** The roots that the manager's certificate must chain to; undefined: none known yet, see `fetchRootCertificate`. */
  readonly trust: string | undefined
  /** What the other end must be. Default: a manager. */
  readonly serverRole?: NodeRole | 'any'
  readonly clock?: Clock
  readonly keepAlive?: KeepAlive
}

/** Connects to a manager. Nothing is sent before its certificate was found to be a manager's of our cluster. */
export async function connectRpc(address: string, options: ConnectOptions, wait: Wait): Promise<RpcClient> {
  wait.note(`${address} to answer`)
  const { identity, trust, serverRole = 'manager', clock = systemClock } = options
  const socket = await dial(address, identity, wait)
  if (trust !== undefined) {
    try {
      verifyServer(address, socket, { trust, identity, role: serverRole, now: clock.now() })
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
  const session = connectHttp2(`https://${address}`, {
    createConnection: () => socket,
    settings,
    maxSessionMemory,
  })
  session.setLocalWindowSize(connectionWindowBytes)
  keepAlive(session, 'client', options.keepAlive ?? defaultKeepAlive)
  return new Http2RpcClient(address, session, options)
}

/** Nobody knows yet who sends it. */
const maxUntrustedAnswerBytes = 256 * 1024

/**
 * The root certificate of the cluster behind an address, checked against the digest in a join token. The token's
 * secret has not been sent to anybody at that point.
 */
export async function fetchRootCertificate(address: string, digest: string, wait: Wait): Promise<string> {
  await using client = await connectRpc(address, { trust: undefined }, wait)
  const answer = await client.call<object, Partial<RootCertificateAnswer> | null>(
    'GET',
    '/v1/ca/root',
    {},
    wait,
  )
  const certificates = answer?.certificates
  if (typeof certificates !== 'string')
    throw new MureError('unavailable', `${address} is not a Mure manager: it has no root certificate`)
  const found = rootDigest(certificates)
  if (found === digest) return certificates
  throw new MureError(
    'unauthenticated',
    `remote CA does not match fingerprint. Expected: ${digestHex(digest)}, as the join token says; ${address} has ${digestHex(found)}. Is the token of this cluster, and newer than its last CA rotation?`,
  )
}

class Http2RpcClient implements RpcClient {
  readonly address: string
  readonly #session: ClientHttp2Session
  readonly #maxAnswerBytes: number
  readonly #hasIdentity: boolean
  readonly #ended = new AbortController()
  readonly #closed: Promise<void>
  #failure: unknown

  constructor(address: string, session: ClientHttp2Session, options: ConnectOptions) {
    this.address = address
    this.#session = session
    this.#maxAnswerBytes = options.trust === undefined ? maxUntrustedAnswerBytes : maxBodyBytes
    this.#hasIdentity = options.identity !== undefined
    session.on('error', (error: Error) => {
      this.#failure = error
    })
    this.#closed = new Promise((resolve) => {
      session.once('close', () => {
        this.#ended.abort(this.#lost())
        resolve()
      })
    })
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async call<I, O>(method: 'GET' | 'POST', path: string, body: I, wait: Wait): Promise<O> {
    wait.check()
    const stream = this.#request(method, path)
    stream.end(method === 'GET' ? undefined : JSON.stringify(body))
    return this.#within(wait, stream, async () => {
      const status = await this.#statusOf(stream)
      const text = await readBody(stream, this.#maxAnswerBytes, () => this.#lost())
      if (status !== 200) throw errorOfAnswer(this.address, status, text)
      return this.#parse(text) as O
    })
  }

  async open<In, Out>(path: string, wait: Wait): Promise<MessageStream<In, Out>> {
    return new FramedMessageStream<In, Out>(await this.#openStream(path, wait), undefined)
  }

  async openRaw(path: string, wait: Wait): Promise<Duplex> {
    return new RawStream(await this.#openStream(path, wait), this.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#drop()
    await this.#closed
  }

  #drop(): void {
    this.#session.destroy()
    this.#ended.abort(this.#lost())
  }

  async #openStream(path: string, wait: Wait): Promise<ClientHttp2Stream> {
    wait.check()
    const stream = this.#request('POST', path)
    await this.#within(wait, stream, async () => {
      const status = await this.#statusOf(stream)
      if (status === 200) return
      stream.end()
      throw errorOfAnswer(
        this.address,
        status,
        await readBody(stream, this.#maxAnswerBytes, () => this.#lost()),
      )
    })
    return stream
  }

  #request(method: string, path: string): ClientHttp2Stream {
    if (this.#session.destroyed || this.#session.closed) throw this.#lost()
    const stream = this.#session.request({ ':method': method, ':path': path }, { endStream: false })
    stream.on('error', () => undefined)
    return stream
  }

  #statusOf(stream: ClientHttp2Stream): Promise<number> {
    return new Promise((resolve, reject) => {
      const onClose = () => {
        reject(this.#lost())
      }
      stream.once('close', onClose)
      stream.once('response', (headers) => {
        stream.off('close', onClose)
        resolve(headers[':status'] ?? 0)
      })
    })
  }

  /** Works while the wait lasts; its end cancels the call at the other end too. */
  async #within<T>(wait: Wait, stream: ClientHttp2Stream, work: () => Promise<T>): Promise<T> {
    const onAbort = () => {
      // Not close(): that would first end the stream properly, and half a request would look whole.
      stream.destroy(new Error('cancelled'))
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await work()
    } catch (error) {
      // Why a stream that we cancel ends is known better here than there.
      wait.check()
      // A connection keeps the certificate that it began with: the next one has what was renewed meanwhile.
      if (isMureError(error, 'unauthenticated') && this.#hasIdentity) this.#drop()
      throw error
    } finally {
      wait.signal.removeEventListener('abort', onAbort)
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text)
    } catch (error) {
      throw new MureError('unavailable', `${this.address} is not a Mure manager: its answer is not JSON`, {
        cause: error,
      })
    }
  }

  #lost(): MureError {
    return new MureError('unavailable', `the connection to ${this.address} was lost`, {
      cause: this.#failure,
    })
  }
}
