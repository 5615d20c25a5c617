import { connect as connectHttp2 } from 'node:http2'
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import { systemClock } from '#lib/clock.ts'
import { errorText, MureError, systemCode } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import { certificateFacts, verifyCertificate } from '#security/certificate.ts'
import { rootDigest } from '#security/join-token.ts'
import { connectionWindowBytes, keepAlive, settings } from './keepalive.ts'
import { FramedMessageStream } from './message-stream.ts'
import type { RootCertificateAnswer } from './messages.ts'
import type { Identity, MessageStream, RpcClient } from './transport.ts'
import { fromWire } from './wire-error.ts'

export interface ConnectOptions {
  /** Who we are; absent while joining. */
  readonly identity?: Pick<Identity, 'certificate' | 'key'>
  /** The roots that the manager's certificate must chain to; undefined: none known yet, see `fetchRootCertificate`. */
  readonly trust: string | undefined
  readonly clock?: Clock
}

/** Connects to a manager. Nothing is sent before its certificate was found to be a manager's of our cluster. */
export async function connectRpc(address: string, options: ConnectOptions, wait: Wait): Promise<RpcClient> {
  wait.note(`${address} to answer`)
  const socket = await openTls(address, options, wait)
  if (options.trust !== undefined) {
    try {
      verifyManager(address, socket, options.trust, options.clock ?? systemClock)
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
  const session = connectHttp2(`https://${address}`, { createConnection: () => socket, settings })
  session.on('error', () => undefined)
  session.setLocalWindowSize(connectionWindowBytes)
  keepAlive(session)
  return new Http2RpcClient(address, session)
}

/**
 * The root certificate of the cluster behind an address, checked against the digest in a join token. The token's
 * secret has not been sent to anybody at that point.
 */
export async function fetchRootCertificate(address: string, digest: string, wait: Wait): Promise<string> {
  await using client = await connectRpc(address, { trust: undefined }, wait)
  const { certificates } = await client.call<object, RootCertificateAnswer>('GET', '/v1/ca/root', {}, wait)
  if (rootDigest(certificates) !== digest) {
    throw new MureError(
      'unauthenticated',
      `remote CA does not match fingerprint. Expected: ${digest} (from the join token), got ${rootDigest(certificates)} from ${address}`,
    )
  }
  return certificates
}

function openTls(address: string, options: ConnectOptions, wait: Wait): Promise<TLSSocket> {
  const at = address.lastIndexOf(':')
  const host = address.slice(0, at).replace(/^\[|\]$/g, '')
  const port = Number(address.slice(at + 1))
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host,
      port,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(options.trust === undefined ? {} : { ca: options.trust }),
      ...(options.identity === undefined
        ? {}
        : { cert: options.identity.certificate, key: options.identity.key }),
    })
    const onAbort = () => {
      socket.destroy()
      reject(
        wait.signal.reason instanceof MureError
          ? new MureError('unavailable', `${address} does not answer: ${wait.signal.reason.message}`)
          : new MureError('cancelled', `stopped connecting to ${address}`),
      )
    }
    if (wait.signal.aborted) {
      onAbort()
      return
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    socket.setNoDelay(true)
    socket.once('secureConnect', () => {
      wait.signal.removeEventListener('abort', onAbort)
      socket.removeAllListeners('error')
      socket.on('error', () => undefined)
      if (socket.alpnProtocol === 'h2') resolve(socket)
      else {
        socket.destroy()
        reject(new MureError('unavailable', `${address} is not a Mure manager`))
      }
    })
    socket.once('error', (error: Error) => {
      wait.signal.removeEventListener('abort', onAbort)
      reject(connectionError(address, error))
    })
  })
}

function connectionError(address: string, error: Error): MureError {
  const code = systemCode(error) ?? ''
  if (code === 'ECONNREFUSED')
    return new MureError(
      'unavailable',
      `nothing listens at ${address}: is it a manager, and is its daemon running?`,
      { cause: error },
    )
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return new MureError('unavailable', `${address} is not a Mure manager (${error.message})`, {
      cause: error,
    })
  return new MureError('unavailable', `${address} cannot be reached: ${errorText(error)}`, { cause: error })
}

function verifyManager(address: string, socket: TLSSocket, trust: string, clock: Clock): void {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) throw new MureError('unauthenticated', `${address} shows no certificate`)
  const verified = verifyCertificate(certificate, trust, clock.now())
  if (!verified.ok) throw new MureError('unauthenticated', `${address} is refused: ${verified.reason}`)
  if (certificateFacts(certificate).role !== 'manager')
    throw new MureError('unauthenticated', `${address} is refused: it is not a manager`)
}

class Http2RpcClient implements RpcClient {
  readonly address: string
  readonly #session: ClientHttp2Session
  readonly #ended = new AbortController()

  constructor(address: string, session: ClientHttp2Session) {
    this.address = address
    this.#session = session
    session.once('close', () => {
      this.#ended.abort()
    })
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async call<I, O>(method: 'GET' | 'POST', path: string, body: I, wait: Wait): Promise<O> {
    const stream = this.#request(method, path, wait)
    if (method === 'GET') stream.end()
    else stream.end(JSON.stringify(body))
    const status = await responseOf(stream, this.address, wait)
    const text = await readAll(stream, this.address)
    if (status !== 200) throw fromWire(status, text)
    return JSON.parse(text) as O
  }

  async open<In, Out>(path: string, wait: Wait): Promise<MessageStream<In, Out>> {
    return new FramedMessageStream<In, Out>(await this.#openStream(path, wait), undefined)
  }

  openRaw(path: string, wait: Wait): Promise<Duplex> {
    return this.#openStream(path, wait)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session.destroy()
    if (!this.#session.closed) await Promise.resolve()
  }

  /** A stream that outlives the wait: the wait is for its opening alone. */
  async #openStream(path: string, wait: Wait): Promise<ClientHttp2Stream> {
    const stream = this.#request('POST', path)
    const status = await responseOf(stream, this.address, wait)
    if (status === 200) return stream
    throw fromWire(status, await readAll(stream, this.address))
  }

  #request(method: string, path: string, wait?: Wait): ClientHttp2Stream {
    if (this.#session.destroyed || this.#session.closed)
      throw new MureError('unavailable', `the connection to ${this.address} is closed`)
    const stream = this.#session.request(
      { ':method': method, ':path': path },
      { endStream: false, ...(wait === undefined ? {} : { signal: wait.signal }) },
    )
    stream.on('error', () => undefined)
    return stream
  }
}

function responseOf(stream: ClientHttp2Stream, address: string, wait: Wait): Promise<number> {
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      stream.destroy()
      const reason: unknown = wait.signal.reason
      reject(
        reason instanceof MureError ? reason : new MureError('cancelled', `stopped waiting for ${address}`),
      )
    }
    const settle = () => {
      wait.signal.removeEventListener('abort', onAbort)
    }
    wait.signal.addEventListener('abort', onAbort, { once: true })
    if (wait.signal.aborted) onAbort()
    stream.once('response', (headers) => {
      settle()
      resolve(headers[':status'] ?? 0)
    })
    stream.once('close', () => {
      settle()
      reject(new MureError('unavailable', `the connection to ${address} was lost`))
    })
  })
}

async function readAll(stream: ClientHttp2Stream, address: string): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  } catch (error) {
    throw new MureError('unavailable', `the connection to ${address} was lost`, { cause: error })
  }
  return Buffer.concat(chunks).toString()
}
