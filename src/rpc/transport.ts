import type { Duplex } from 'node:stream'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'

/** A node's proof of itself, PEM. `trust` may hold several roots while one is being replaced. */
export interface Identity {
  readonly nodeId: NodeId
  readonly role: NodeRole
  readonly certificate: string
  readonly key: string
  readonly trust: string
}

/** Who is at the other end, from its verified certificate. */
export interface Peer {
  readonly nodeId: NodeId
  readonly role: NodeRole
  readonly remoteAddress: string
  /** Its certificate chains to a root that we trust but its time is over: good for renewal alone. */
  readonly expired: boolean
}

/** One incoming call. */
export interface Call<T> {
  readonly peer: Peer
  readonly body: T
  readonly signal: AbortSignal
}

/** Messages both ways over one HTTP/2 stream, each a 4-byte big-endian length and that much JSON. */
export interface MessageStream<In, Out> extends AsyncDisposable {
  readonly peer: Peer | undefined
  send(message: Out): void
  /** Bytes accepted by `send` and not yet by the network: what a sender checks before it sends more. */
  readonly pendingBytes: number
  [Symbol.asyncIterator](): AsyncIterator<In>
  readonly signal: AbortSignal
  close(reason?: string): void
}

/** `renewal`: any node of the cluster, also one whose certificate has expired. */
export type Audience = 'anyone' | 'renewal' | 'node' | 'manager'

/** One TLS 1.3 listener that serves calls by path; who may call what is part of the registration. */
export interface RpcServer extends AsyncDisposable {
  readonly port: number
  /** JSON in, JSON out. A thrown MureError arrives as one, with its code. */
  unary<I, O>(
    method: 'GET' | 'POST',
    path: string,
    audience: Audience,
    handler: (call: Call<I>, peer: Peer | undefined) => Promise<O>,
  ): void
  stream<In, Out>(
    path: string,
    audience: Audience,
    handler: (stream: MessageStream<In, Out>) => Promise<void>,
  ): void
  /** Raw bytes both ways; `path` matches by prefix and the handler gets what follows it. */
  raw(
    prefix: string,
    audience: Audience,
    handler: (rest: string, bytes: Duplex, peer: Peer | undefined) => Promise<void>,
  ): void
  /** New certificates and roots for connections from now on. */
  setIdentity(identity: Identity): void
}

/** A connection to one manager. */
export interface RpcClient extends AsyncDisposable {
  readonly address: string
  call<I, O>(method: 'GET' | 'POST', path: string, body: I, wait: Wait): Promise<O>
  open<In, Out>(path: string, wait: Wait): Promise<MessageStream<In, Out>>
  openRaw(path: string, wait: Wait): Promise<Duplex>
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal
}
