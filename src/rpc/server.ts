import { createSecureServer } from 'node:http2'
import type {
  Http2SecureServer,
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { NodeId } from '#model/id.ts'
import { certificateFacts, verifyCertificate } from '#security/certificate.ts'
import { connectionWindowBytes, keepAlive, settings } from './keepalive.ts'
import { FramedMessageStream } from './message-stream.ts'
import type { Audience, Call, Identity, MessageStream, Peer, RpcServer } from './transport.ts'
import { toWire } from './wire-error.ts'

const maxBodyBytes = 16 * 1024 * 1024

type Handler = (stream: ServerHttp2Stream, peer: Peer | undefined, rest: string) => Promise<void>

interface Route {
  readonly audience: Audience
  readonly handler: Handler
}

export interface RpcServerOptions {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  readonly identity: Identity
  readonly clusterId: string
  readonly clock: Clock
  readonly logger: Logger
  /** Nodes that were removed: their certificates are refused though they have not expired. */
  readonly isBlocked?: (nodeId: NodeId) => boolean
}

/** Listens for other nodes: TLS 1.3, client certificates judged by us, so that a joiner without one may ask for it. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const server = createSecureServer({
    ...secureContext(options.identity),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    settings,
  })
  const rpc = new Http2RpcServer(server, options)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: Error) => {
      reject(
        new MureError(
          'unavailable',
          `cannot listen on ${options.host}:${String(options.port)}: ${error.message}`,
          {
            cause: error,
          },
        ),
      )
    })
    server.listen(options.port, options.host, resolve)
  })
  return rpc
}

const secureContext = (identity: Identity) => ({
  cert: identity.certificate,
  key: identity.key,
  ca: identity.trust,
})

class Http2RpcServer implements RpcServer {
  readonly #server: Http2SecureServer
  readonly #options: RpcServerOptions
  readonly #exact = new Map<string, Route>()
  readonly #prefixes = new Map<string, Route>()
  readonly #sessions = new Set<Http2Session>()
  #trust: string

  constructor(server: Http2SecureServer, options: RpcServerOptions) {
    this.#server = server
    this.#options = options
    this.#trust = options.identity.trust
    server.on('session', (session: ServerHttp2Session) => {
      this.#sessions.add(session)
      session.setLocalWindowSize(connectionWindowBytes)
      session.once('close', () => this.#sessions.delete(session))
      session.on('error', () => undefined)
      keepAlive(session)
    })
    server.on('tlsClientError', () => undefined)
    server.on('stream', (stream, headers) => {
      void this.#serve(stream, headers).catch((error: unknown) => {
        options.logger.warn('a call failed', { path: headers[':path'], error })
      })
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  unary<I, O>(
    method: 'GET' | 'POST',
    path: string,
    audience: Audience,
    handler: (call: Call<I>, peer: Peer | undefined) => Promise<O>,
  ): void {
    this.#exact.set(`${method} ${path}`, {
      audience,
      handler: async (stream, peer) => {
        const text = await readBody(stream)
        const body = (text === '' ? {} : parseJson(text)) as I
        const ended = new AbortController()
        stream.once('close', () => {
          ended.abort()
        })
        const answer = await handler({ peer: peer as Peer, body, signal: ended.signal }, peer)
        respondJson(stream, 200, answer ?? {})
      },
    })
  }

  stream<In, Out>(
    path: string,
    audience: Audience,
    handler: (stream: MessageStream<In, Out>) => Promise<void>,
  ): void {
    this.#exact.set(`POST ${path}`, {
      audience,
      handler: async (stream, peer) => {
        stream.respond({ ':status': 200 })
        const messages = new FramedMessageStream<In, Out>(stream, peer)
        try {
          await handler(messages)
        } finally {
          messages.close()
        }
      },
    })
  }

  raw(
    prefix: string,
    audience: Audience,
    handler: (rest: string, bytes: Duplex, peer: Peer | undefined) => Promise<void>,
  ): void {
    this.#prefixes.set(prefix, {
      audience,
      handler: async (stream, peer, rest) => {
        stream.respond({ ':status': 200 })
        await handler(rest, stream, peer)
      },
    })
  }

  setIdentity(identity: Identity): void {
    this.#trust = identity.trust
    this.#server.setSecureContext({ ...secureContext(identity), minVersion: 'TLSv1.3' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const session of this.#sessions) session.destroy()
    await closed
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined)
    try {
      const method = headers[':method'] ?? ''
      const path = headers[':path'] ?? ''
      const found = this.#find(method, path)
      if (found === undefined) throw new MureError('not-found', `there is no call ${method} ${path}`)
      const peer = this.#peerOf(stream)
      admit(found.route.audience, peer)
      await found.route.handler(stream, peer, found.rest)
    } catch (error) {
      const { status, body } = toWire(error)
      if (body.code === 'internal')
        this.#options.logger.error('a call failed', { path: headers[':path'], error })
      if (!stream.headersSent) respondJson(stream, status, body)
      else stream.destroy()
    }
  }

  #find(method: string, path: string): { route: Route; rest: string } | undefined {
    const route = this.#exact.get(`${method} ${path}`)
    if (route !== undefined) return { route, rest: '' }
    for (const [prefix, candidate] of this.#prefixes)
      if (method === 'POST' && path.startsWith(prefix))
        return { route: candidate, rest: path.slice(prefix.length) }
    return undefined
  }

  /** Undefined for a caller without a certificate. A certificate that is not ours ends the call. */
  #peerOf(stream: ServerHttp2Stream): Peer | undefined {
    const socket = stream.session?.socket as TLSSocket | undefined
    const certificate = socket?.getPeerX509Certificate()
    if (socket === undefined || certificate === undefined) return undefined
    const verified = verifyCertificate(certificate, this.#trust, this.#options.clock.now())
    if (!verified.ok) throw new MureError('unauthenticated', `the caller is refused: ${verified.reason}`)
    const facts = certificateFacts(certificate)
    if (facts.clusterId !== this.#options.clusterId || facts.role === undefined)
      throw new MureError('unauthenticated', 'the caller is refused: it is of another cluster')
    const nodeId = facts.nodeId as NodeId
    if (this.#options.isBlocked?.(nodeId) === true)
      throw new MureError('unauthenticated', 'the caller is refused: it was removed from the cluster')
    return { nodeId, role: facts.role, remoteAddress: socket.remoteAddress ?? '', expired: verified.expired }
  }
}

function admit(audience: Audience, peer: Peer | undefined): void {
  if (audience === 'anyone') return
  if (peer === undefined) throw new MureError('unauthenticated', 'a node certificate is needed')
  if (audience === 'renewal') return
  if (peer.expired)
    throw new MureError('unauthenticated', 'the node certificate has expired: renew it', {
      details: { expired: true },
    })
  if (audience === 'manager' && peer.role !== 'manager')
    throw new MureError('forbidden', 'only a manager may do this')
}

async function readBody(stream: ServerHttp2Stream): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBodyBytes) throw new MureError('invalid', 'the request is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MureError('invalid', 'the request does not hold JSON', { cause: error })
  }
}

function respondJson(stream: ServerHttp2Stream, status: number, body: unknown): void {
  if (stream.destroyed) return
  stream.respond({ ':status': status, 'content-type': 'application/json' })
  stream.end(JSON.stringify(body))
}
