import type { Duplex } from 'node:stream'
import type { Instant } from '#lib/clock.ts'
import type { Wait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'

/** A node's proof of itself, PEM. `trust` may hold several roots while one is being replaced. */
export interface Identity {
  readonly nodeId: NodeId
  readonly role: NodeRole
  /** The node's own; authorities that vouch for it may follow (see `crossSign`). */
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
  readonly certificateEndsAt: Instant
}

/** One incoming call. */
export interface Call<T> {
  /** Not there for a caller without a certificate, which only `anyone` admits: see the handler's second argument. */
  readonly peer: Peer
  readonly body: T
  /** Aborts when the caller is gone or no longer waits. */
  readonly signal: AbortSignal
}

/** Messages both ways over one HTTP/2 stream, each a 4-byte big-endian length and that much JSON. */
export interface MessageStream<In, Out> extends AsyncDisposable {
  readonly peer: Peer | undefined
  /** Never waits. Drops the message once the stream is over. */
  send(message: Out): void
  /** Bytes accepted by `send` and not yet by the network: what a sender checks before it sends more. */
  readonly pendingBytes: number
  /**
   * In order; reading slowly slows the sender. Ends with the stream or the connection; leaving it does not end the
   * stream, and it can be taken up again. Throws what the other end's handler threw, and `invalid` for what is no
   * message, after which the stream is over.
   */
  [Symbol.asyncIterator](): AsyncIterator<In>
  /** Aborts when the stream is over. */
  readonly signal: AbortSignal
  /** What the other end said when it closed the stream, if it said anything. */
  readonly closeReason: string | undefined
  /** Ends both directions. What was sent before still arrives. */
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
  /**
   * Raw bytes both ways, each with its own end. An 'end' is only ever the other side's own: whatever breaks off the
   * stream, here, there or between, is an error of it. `prefix` is matched and the handler gets what follows it. The
   * stream may outlive the handler. A handler that throws before it reads or writes refuses the call with its error;
   * later it breaks the stream off.
   */
  raw(
    prefix: string,
    audience: Audience,
    handler: (rest: string, bytes: Duplex, peer: Peer | undefined) => Promise<void>,
  ): void
  /** New certificates and roots. Connections stay; what their peers may do is judged by the new roots at once. */
  setIdentity(identity: Identity): void
  /** Ends all connections of a node. */
  disconnect(nodeId: NodeId): void
}

/**
 * A connection to one manager. It keeps the certificate that it began with, so an answer that this certificate is no
 * longer good ends it: the next connection has what was renewed meanwhile.
 */
export interface RpcClient extends AsyncDisposable {
  readonly address: string
  call<I, O>(method: 'GET' | 'POST', path: string, body: I, wait: Wait): Promise<O>
  /** The wait is for the opening alone. */
  open<In, Out>(path: string, wait: Wait): Promise<MessageStream<In, Out>>
  /** As `RpcServer.raw` has it. The wait is for the opening alone. */
  openRaw(path: string, wait: Wait): Promise<Duplex>
  /** Aborts when the connection is gone. */
  readonly signal: AbortSignal
}
