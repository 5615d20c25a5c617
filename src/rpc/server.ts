import { createSecureServer } from 'node:http2'
import type {
  Http2SecureServer,
  Http2Session,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import { errorText, MureError, systemCode, toMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { NodeId } from '#model/id.ts'
import { admit, ConnectionPeer } from './admission.ts'
import { maxBodyBytes, readBody } from './body.ts'
import {
  connectionWindowBytes,
  maxSessionMemory,
  minVersion,
  noAuthorities,
  settings,
} from './http2-settings.ts'
import { defaultKeepAlive, keepAlive } from './keepalive.ts'
import type { KeepAlive } from './keepalive.ts'
import { FramedMessageStream } from './message-stream.ts'
import { RawStream } from './raw-stream.ts'
import { defaultStrangerLimits, Strangers } from './strangers.ts'
import type { StrangerLimits } from './strangers.ts'
import type { Audience, Call, Identity, MessageStream, Peer, RpcServer } from './transport.ts'
import { toWire } from './wire-error.ts'

export interface RpcServerOptions {
  readonly host: string
  /** 0 = any free one. */
  readonly port: number
  readonly identity: Identity
  readonly clusterId: string
  readonly clock: Clock
  readonly logger: Logger
  /** Who is a manager now, whatever its certificate says. Default: the certificate alone is believed. */
  readonly isManager?: (nodeId: NodeId) => boolean
  readonly keepAlive?: KeepAlive
  readonly strangers?: StrangerLimits
}

/** Listens for other nodes: TLS 1.3, client certificates judged by us, so that a joiner without one may ask for it. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const limits = options.strangers ?? defaultStrangerLimits
  const server = createSecureServer({
    ...secureContext(options.identity),
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: limits.handshakeMs,
    maxSessionMemory,
    settings,
  })
  const rpc = new Http2RpcServer(server, options, limits)
  await new Promise<void>((resolve, reject) => {
    const onError = (error: Error) => {
      reject(listenError(options, error))
    }
    server.once('error', onError)
    server.listen(options.port, options.host, () => {
      server.off('error', onError)
      // Running out of file descriptors and the like: the listener itself goes on.
      server.on('error', (error: Error) => {
        options.logger.warn('the cluster listener has trouble', { error })
      })
      resolve()
    })
  })
  return rpc
}

const secureContext = ({ certificate, key }: Identity) =>
  ({ cert: certificate, key, ca: noAuthorities, minVersion }) as const

function listenError({ host, port }: RpcServerOptions, error: Error): MureError {
  const inUse = systemCode(error) === 'EADDRINUSE' ? ': another program listens there' : ''
  return new MureError(
    'unavailable',
    `cannot listen on ${host}:${String(port)}${inUse} (${errorText(error)})`,
    { cause: error },
  )
}

type Handler = (stream: ServerHttp2Stream, peer: Peer | undefined, rest: string) => Promise<void>

interface Route {
  readonly audience: Audience
  readonly handler: Handler
}

/** One connection: who is at its other end, and how many calls are in progress on it. */
interface Connection {
  readonly peer: ConnectionPeer
  calls: number
}

class Http2RpcServer implements RpcServer {
  readonly #server: Http2SecureServer
  readonly #options: RpcServerOptions
  readonly #limits: StrangerLimits
  readonly #strangers: Strangers
  readonly #exact = new Map<string, Route>()
  readonly #prefixes = new Map<string, Route>()
  readonly #connections = new Map<Http2Session, Connection>()
  readonly #sockets = new Set<Socket>()
  #trust: string

  constructor(server: Http2SecureServer, options: RpcServerOptions, limits: StrangerLimits) {
    this.#server = server
    this.#options = options
    this.#limits = limits
    this.#strangers = new Strangers(limits)
    this.#trust = options.identity.trust
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.setNoDelay(true)
      this.#strangers.add(socket)
    })
    server.on('session', (session: ServerHttp2Session) => {
      this.#accept(session)
    })
    // Of the handshake: what speaks no TLS, or breaks off, is no news.
    server.on('tlsClientError', () => undefined)
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      this.#serve(stream, headers).catch((error: unknown) => {
        options.logger.warn('an answer could not be sent', { path: headers[':path'], error })
        stream.destroy()
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
    this.#register(this.#exact, `${method} ${path}`, {
      audience,
      handler: async (stream, peer) => {
        const limit = peer === undefined ? this.#limits.bodyBytes : maxBodyBytes
        const body = parseBody(await readBody(stream, limit, callerIsGone)) as I
        const ended = new AbortController()
        const onClose = () => {
          ended.abort(callerIsGone())
        }
        stream.once('close', onClose)
        // Whoever admits anyone knows that there may be no peer, see `Call`.
        const answer = await handler({ peer: peer as Peer, body, signal: ended.signal }, peer)
        stream.off('close', onClose)
        respondJson(stream, 200, answer ?? {})
      },
    })
  }

  stream<In, Out>(
    path: string,
    audience: Audience,
    handler: (stream: MessageStream<In, Out>) => Promise<void>,
  ): void {
    this.#register(this.#exact, `POST ${path}`, {
      audience,
      handler: async (stream, peer) => {
        stream.respond({ ':status': 200 })
        const messages = new FramedMessageStream<In, Out>(stream, peer)
        try {
          await handler(messages)
          messages.close()
        } catch (error) {
          const { body } = toWire(error)
          this.#logFailure(path, body.code, error)
          messages.fail(body)
        }
      },
    })
  }

  raw(
    prefix: string,
    audience: Audience,
    handler: (rest: string, bytes: Duplex, peer: Peer | undefined) => Promise<void>,
  ): void {
    this.#register(this.#prefixes, prefix, {
      audience,
      handler: async (stream, peer, rest) => {
        // Accepted when the handler begins to use it, so that what fails before arrives as an error with its words.
        const accept = () => {
          if (!stream.destroyed && !stream.headersSent) stream.respond({ ':status': 200 })
        }
        const caller = peer === undefined ? 'the caller' : `node ${peer.nodeId}`
        const bytes = new RawStream(stream, caller, accept)
        try {
          await handler(rest, bytes, peer)
          accept()
        } catch (error) {
          if (!stream.headersSent) throw error
          this.#logFailure(prefix, toWire(error).body.code, error)
          bytes.destroy(toMureError(error))
        }
      },
    })
  }

  setIdentity(identity: Identity): void {
    this.#trust = identity.trust
    this.#server.setSecureContext(secureContext(identity))
  }

  disconnect(nodeId: NodeId): void {
    for (const [session, { peer }] of this.#connections) if (peer.claims(nodeId)) session.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve()
      })
    })
    for (const session of this.#connections.keys()) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #accept(session: ServerHttp2Session): void {
    const socket = session.socket as TLSSocket
    const connection: Connection = { peer: new ConnectionPeer(socket), calls: 0 }
    this.#connections.set(session, connection)
    session.once('close', () => this.#connections.delete(session))
    session.on('error', () => undefined)
    session.setLocalWindowSize(connectionWindowBytes)
    keepAlive(session, 'server', this.#options.keepAlive ?? defaultKeepAlive)
    try {
      if (this.#identify(connection) !== undefined) this.#strangers.remove(socket)
    } catch {
      // A certificate that is not ours: a stranger, and each call will say why.
    }
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined)
    const connection = stream.session === undefined ? undefined : this.#connections.get(stream.session)
    if (connection === undefined) return
    connection.calls += 1
    stream.once('close', () => (connection.calls -= 1))
    try {
      const method = headers[':method'] ?? ''
      const path = headers[':path'] ?? ''
      const peer = this.#identify(connection)
      if (peer === undefined && connection.calls > this.#limits.calls)
        throw new MureError('exhausted', 'too many calls at a time without a node certificate')
      const found = this.#find(method, path)
      if (found === undefined) throw new MureError('not-found', `there is no call ${method} ${path}`)
      const { clock, isManager } = this.#options
      admit(found.route.audience, peer, { now: clock.now(), isManager })
      await found.route.handler(stream, peer, found.rest)
    } catch (error) {
      const { status, body } = toWire(error)
      this.#logFailure(headers[':path'] ?? '', body.code, error)
      respondJson(stream, status, body)
    }
  }

  #identify({ peer }: Connection): Peer | undefined {
    const { clusterId, clock } = this.#options
    return peer.identify({ trust: this.#trust, clusterId, now: clock.now() })
  }

  #register(routes: Map<string, Route>, key: string, route: Route): void {
    if (routes.has(key)) throw new MureError('internal', `${key} is served twice`)
    routes.set(key, route)
  }

  #find(method: string, path: string): { route: Route; rest: string } | undefined {
    const route = this.#exact.get(`${method} ${path}`)
    if (route !== undefined) return { route, rest: '' }
    for (const [prefix, candidate] of this.#prefixes)
      if (method === 'POST' && path.startsWith(prefix))
        return { route: candidate, rest: path.slice(prefix.length) }
    return undefined
  }

  #logFailure(path: string, code: string, error: unknown): void {
    if (code === 'internal') this.#options.logger.error('a call failed', { path, error })
  }
}

const callerIsGone = () => new MureError('cancelled', 'the caller is gone')

function parseBody(text: string): unknown {
  if (text === '') return {}
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new MureError('invalid', 'the request does not hold JSON', { cause: error })
  }
}

/** Answers, and asks a caller that is still sending to stop. */
function respondJson(stream: ServerHttp2Stream, status: number, body: unknown): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const text = JSON.stringify(body)
  stream.respond({ ':status': status, 'content-type': 'application/json' })
  stream.end(text, () => {
    if (!stream.readableEnded) stream.close()
  })
}
