import type { Duplex } from 'node:stream'
import { isMureError, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { abortable, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { TaskId } from '#model/id.ts'
import type { IngressConfiguration } from '#model/ingress/configuration.ts'
import type { NodeDescription, NodeRole } from '#model/node.ts'
import type { NodeUsage } from '#model/usage.ts'
import type {
  AgentMessage,
  Assignments,
  DataPlaneChange,
  ManagerAddress,
  ManagerMessage,
  RelayRequest,
} from '#rpc/messages.ts'
import type { MessageStream, RpcClient } from '#rpc/transport.ts'
import type { StatusOutbox } from './status-outbox.ts'

/** What a manager wants of this node beyond its tasks. Called in order; returns at once. */
export interface AgentCallbacks {
  roleWanted(role: NodeRole): void
  /** These roots are to be trusted from now on; `renew`: a new certificate is to be asked for at once. */
  trustChanged(certificates: string, renew: boolean): void
  /** The node was removed from the cluster. Its tasks are being removed, and no further session is tried. */
  removed(): void
  /** A plain container's place on a network is no longer needed. */
  release(taskId: string): Promise<void>
  /** Our certificate has expired: only a renewal is taken from us. */
  expired(): void
}

export interface SessionParts {
  readonly hello: Extract<AgentMessage, { type: 'hello' }>
  readonly callbacks: AgentCallbacks
  readonly outbox: StatusOutbox
  readonly logger: Logger
  /** Serves a request that a manager sends down its own stream. */
  relay(request: RelayRequest, stream: Duplex): void
  /** Ends the session. */
  readonly signal: AbortSignal
  /** Looks, as often as it beats, whether the node's identity is still the one that was described. */
  checkIdentity(): void
  assign(assignments: Assignments): void
  /** Resolves once this host's kernel does so. */
  dataPlane(change: DataPlaneChange): Promise<void>
  ingress(configuration: IngressConfiguration | undefined): void
  withdrawn(taskIds: readonly TaskId[]): void
  removed(): void
  managersKnown(managers: readonly ManagerAddress[]): void
  opened(session: OpenSession): void
}

export interface OpenSession {
  describe(description: NodeDescription): void
  usage(usage: NodeUsage): void
  /** Resolves once the manager knows that this process stops and is expected back. */
  farewell(backWithinMs: number, wait: Wait): Promise<void>
}

type Stream = MessageStream<ManagerMessage, AgentMessage>

const openTimeoutMs = 3_000
/** A manager that has no store to ask can't welcome anybody; perhaps another can. */
const welcomeTimeoutMs = 5_000

/** One session on one connection, from its hello to its end. Throws why there was none, or why it ended. */
export async function runSession(client: RpcClient, parts: SessionParts): Promise<void> {
  const { signal } = parts
  using wait = startWait({ timeoutMs: openTimeoutMs, signal, what: `${client.address} to open a session` })
  const stream: Stream = await client.open<ManagerMessage, AgentMessage>('/v1/session', wait)
  const session = new Session(client, stream, parts)
  const close = () => {
    stream.close()
  }
  signal.addEventListener('abort', close, { once: true })
  try {
    stream.send(parts.hello)
    await session.run()
  } finally {
    signal.removeEventListener('abort', close)
    await stream[Symbol.asyncDispose]()
  }
}

class Session implements OpenSession {
  readonly #client: RpcClient
  readonly #stream: Stream
  readonly #parts: SessionParts
  #beats: NodeJS.Timeout | undefined
  #sequence: number | undefined
  #isWelcome = false
  readonly #farewellHeard = Promise.withResolvers<void>()

  constructor(client: RpcClient, stream: Stream, parts: SessionParts) {
    this.#client = client
    this.#stream = stream
    this.#parts = parts
  }

  describe(description: NodeDescription): void {
    this.#stream.send({ type: 'description', description })
  }

  usage(usage: NodeUsage): void {
    this.#stream.send({ type: 'usage', usage })
  }

  async farewell(backWithinMs: number, wait: Wait): Promise<void> {
    this.#stream.send({ type: 'farewell', backWithinMs })
    await abortable(this.#farewellHeard.promise, wait.signal, 'a farewell to be heard')
  }

  async run(): Promise<void> {
    const { logger, outbox } = this.#parts
    const welcomeTimer = setTimeout(() => {
      this.#stream.close('no welcome came')
    }, welcomeTimeoutMs)
    try {
      for await (const message of this.#stream) {
        if (message.type === 'welcome') clearTimeout(welcomeTimer)
        this.#hear(message)
      }
    } finally {
      clearTimeout(welcomeTimer)
      clearInterval(this.#beats)
      outbox.connect(undefined)
      if (this.#isWelcome)
        logger.info('session closed', { manager: this.#client.address, reason: this.#stream.closeReason })
    }
    if (!this.#isWelcome)
      throw new MureError('unavailable', `${this.#client.address} did not take this node's session`)
  }

  /** Nothing in here waits: an engine, a disk or a callback that is slow must not stop the session. */
  #hear(message: ManagerMessage): void {
    const parts = this.#parts
    switch (message.type) {
      case 'welcome':
        this.#welcome(message.heartbeatMs)
        parts.managersKnown(message.managers)
        return
      case 'heartbeat':
        this.#beatEvery(message.heartbeatMs)
        return
      case 'managers':
        parts.managersKnown(message.managers)
        return
      case 'data-plane':
        this.#takeDataPlane(message)
        return
      case 'ingress':
        parts.ingress(message.configuration)
        return
      case 'withdrawn':
        parts.withdrawn(message.taskIds)
        return
      case 'assignments':
        this.#assign(message)
        return
      case 'stored':
        parts.outbox.stored(message.taskIds)
        return
      case 'role':
        parts.callbacks.roleWanted(message.role)
        return
      case 'trust':
        parts.callbacks.trustChanged(message.certificates, message.renew)
        return
      case 'removed':
        parts.removed()
        return
      case 'farewell-heard':
        this.#farewellHeard.resolve()
        return
      case 'relay':
        this.#relay(message.id, message.request).catch((error: unknown) => {
          parts.logger.warn('a relay was not opened', { error })
        })
        return
      default:
        // Of a newer manager: what it is about is not offered here.
        parts.logger.debug('a message of an unknown type', { type: (message as { type?: unknown }).type })
    }
  }

  #welcome(heartbeatMs: number): void {
    this.#isWelcome = true
    this.#parts.logger.info('session opened', { manager: this.#client.address })
    this.#beatEvery(heartbeatMs)
    this.#parts.opened(this)
    this.#parts.outbox.connect((updates) => {
      this.#stream.send({ type: 'status', updates })
    })
  }

  /** At once, and twice a period from then on: one that is late is no silence. */
  #beatEvery(heartbeatMs: number): void {
    clearInterval(this.#beats)
    const beat = () => {
      this.#stream.send({ type: 'beat', at: Date.now() })
      this.#parts.checkIdentity()
    }
    beat()
    this.#beats = setInterval(beat, Math.max(50, heartbeatMs / 2))
  }

  #assign(message: Assignments): void {
    const isNext = this.#sequence !== undefined && message.sequence === this.#sequence + 1
    if (!message.full && !isNext) {
      this.#parts.logger.warn('a message of assignments is missing; a new session tells all of them', {
        expected: (this.#sequence ?? 0) + 1,
        got: message.sequence,
      })
      this.#stream.close('assignments are missing')
      return
    }
    this.#sequence = message.sequence
    this.#parts.assign(message)
    this.#stream.send({ type: 'applied', sequence: message.sequence })
  }

  #takeDataPlane(message: DataPlaneChange): void {
    this.#parts.dataPlane(message).then(
      () => {
        this.#stream.send({ type: 'data-plane-applied', sequence: message.sequence })
      },
      (error: unknown) => {
        this.#parts.logger.warn('the data plane of this host is not as it should be', { error })
      },
    )
  }

  async #relay(id: string, request: RelayRequest): Promise<void> {
    using wait = startWait({
      timeoutMs: openTimeoutMs,
      signal: this.#parts.signal,
      what: 'a relay to open',
    })
    try {
      this.#parts.relay(request, await this.#client.openRaw(`/v1/relay/${id}`, wait))
    } catch (error) {
      if (!isMureError(error, 'cancelled')) throw error
    }
  }
}
