import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { backoffMs } from '#lib/retry.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { NodeDescription, NodeRole } from '#model/node.ts'
import type { AgentMessage, ManagerAddress, ManagerMessage } from '#rpc/messages.ts'
import { connectRpc } from '#rpc/client.ts'
import type { Identity, MessageStream, RpcClient } from '#rpc/transport.ts'
import { tlsInfo } from '#security/certificate.ts'
import { Executor } from './executor/executor.ts'
import { describeNode } from './session/describe.ts'
import { ManagerList } from './session/managers.ts'
import { serveRelay } from './session/relay.ts'
import { StatusOutbox } from './session/status-outbox.ts'

/** What a manager wants of this node beyond its tasks. Called in order; may take their time. */
export interface AgentCallbacks {
  roleWanted(role: NodeRole): void
  trustChanged(certificates: string, renew: boolean): void
  /** The node was removed from the cluster. */
  removed(): void
  /** Our certificate has expired: only a renewal is taken from us. */
  expired(): void
}

export interface AgentOptions {
  readonly engine: Engine
  readonly identity: () => Identity
  readonly clusterId: string
  readonly advertiseAddress: string
  readonly listenAddress: string
  readonly dataPathAddress: string
  /** Known besides those on disk: the one we joined through, or ourselves. */
  readonly managers: readonly ManagerAddress[]
  readonly dataDir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly callbacks: AgentCallbacks
}

/** Quick at first: another manager is usually at hand. */
const reconnect = { firstMs: 50, maxMs: 2_000 }
const connectTimeoutMs = 3_000

/**
 * Runs this node's tasks for whichever manager answers. Managers may come and go: without one, tasks run on, and
 * what happens to them is told to the next.
 */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions
  readonly #stop = new AbortController()
  readonly #managers: ManagerList
  readonly #outbox = new StatusOutbox()
  readonly #executor: Executor
  #hostname = ''
  #description: NodeDescription | undefined
  #running: Promise<void> = Promise.resolve()
  #session: AbortController | undefined

  private constructor(options: AgentOptions) {
    this.#options = options
    this.#managers = new ManagerList(options.dataDir)
    this.#executor = new Executor({
      engine: options.engine,
      clock: options.clock,
      logger: options.logger,
      clusterId: options.clusterId,
      report: (update) => {
        this.#outbox.add(update)
      },
      config: () => ({
        clusterId: options.clusterId,
        node: {
          id: options.identity().nodeId,
          hostname: this.#hostname,
          architecture: this.#description?.platform.architecture ?? '',
          os: this.#description?.platform.os ?? '',
        },
      }),
    })
  }

  static async start(options: AgentOptions): Promise<Agent> {
    const agent = new Agent(options)
    await agent.#managers.load()
    if (options.managers.length > 0 && agent.#managers.all.length === 0)
      await agent.#managers.set(options.managers)
    agent.#running = agent.#run()
    return agent
  }

  get managers(): readonly ManagerAddress[] {
    return this.#managers.all
  }

  /** Ends the session, so that the next begins with the present identity. */
  reconnect(): void {
    this.#session?.abort()
  }

  /** Leaving the cluster: its tasks end here. */
  async removeTasks(): Promise<void> {
    await this.#executor.removeAll()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#outbox.close()
    await this.#running
    await this.#executor[Symbol.asyncDispose]()
  }

  async #run(): Promise<void> {
    const { logger, random } = this.#options
    let failed: string | undefined
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      for (const address of this.#managers.inTurn(random, failed)) {
        if (this.#stop.signal.aborted) return
        try {
          await this.#serve(address, () => {
            attempt = 0
          })
        } catch (error) {
          if (isMureError(error, 'unauthenticated') && error.details?.['expired'] === true)
            this.#options.callbacks.expired()
          logger.debug('no session with this manager', { address, error: errorText(error) })
        }
        failed = address
      }
      await sleep(backoffMs(reconnect, attempt, random), this.#stop.signal).catch(() => undefined)
    }
  }

  /** One session, from its opening to its end. */
  async #serve(address: string, onOpen: () => void): Promise<void> {
    const { identity, clock } = this.#options
    const ended = new AbortController()
    this.#session = ended
    const signal = AbortSignal.any([this.#stop.signal, ended.signal])
    const description = await this.#describe(signal)
    using wait = startWait({ timeoutMs: connectTimeoutMs, signal, what: `${address} to open a session` })
    const { trust } = identity()
    await using client = await connectRpc(address, { identity: identity(), trust, clock }, wait)
    await using stream = await client.open<ManagerMessage, AgentMessage>('/v1/session', wait)
    wait[Symbol.dispose]()
    const onAbort = () => {
      stream.close()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    stream.send({
      type: 'hello',
      description,
      advertiseAddress: this.#options.advertiseAddress,
      listenAddress: this.#options.listenAddress,
      bootEpoch: Math.floor(clock.now()),
      ...(this.#options.dataPathAddress === '' ? {} : { dataPathAddress: this.#options.dataPathAddress }),
    })
    try {
      await this.#converse(client, stream, onOpen)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #describe(signal: AbortSignal): Promise<NodeDescription> {
    const { engine, identity, logger } = this.#options
    try {
      const info = tlsInfo(identity().trust)
      this.#description = await describeNode(
        engine,
        {
          trustRoot: info.trustRoot,
          certificateIssuerSubject: info.issuerSubject,
          certificateIssuerPublicKey: info.issuerPublicKey,
        },
        signal,
      )
      this.#hostname = this.#description.hostname
    } catch (error) {
      // A node whose engine is down for now is still a node, as it was when last seen.
      if (this.#description === undefined) throw error
      logger.warn('the engine does not describe itself', { error })
    }
    return this.#description
  }

  async #converse(
    client: RpcClient,
    stream: MessageStream<ManagerMessage, AgentMessage>,
    onOpen: () => void,
  ): Promise<void> {
    let beats: NodeJS.Timeout | undefined
    let sequence = 0
    const beatEvery = (heartbeatMs: number) => {
      clearInterval(beats)
      // Twice a period, and at once: one that is late is no silence.
      stream.send({ type: 'beat', at: 0 })
      beats = setInterval(() => {
        stream.send({ type: 'beat', at: 0 })
      }, heartbeatMs / 2)
    }
    try {
      for await (const message of stream) {
        if (message.type === 'assignments') {
          if (!message.full && message.sequence !== sequence + 1) return
          sequence = message.sequence
          await this.#executor.assign(message)
          stream.send({ type: 'applied', sequence })
        } else if (message.type === 'welcome') {
          onOpen()
          this.#options.logger.info('session opened', { manager: client.address })
          await this.#managers.set(message.managers)
          beatEvery(message.heartbeatMs)
          for (const update of this.#executor.statuses()) this.#outbox.add(update)
          this.#outbox.connect((updates) => {
            stream.send({ type: 'status', updates })
          })
        } else if (message.type === 'heartbeat') beatEvery(message.heartbeatMs)
        else await this.#hear(client, message)
      }
    } finally {
      clearInterval(beats)
      this.#outbox.connect(undefined)
      this.#options.logger.info('session closed', { manager: client.address })
    }
  }

  async #hear(client: RpcClient, message: ManagerMessage): Promise<void> {
    const { callbacks, engine, logger } = this.#options
    switch (message.type) {
      case 'managers':
        await this.#managers.set(message.managers)
        return
      case 'stored':
        this.#outbox.stored(message.taskIds)
        return
      case 'role':
        callbacks.roleWanted(message.role)
        return
      case 'trust':
        callbacks.trustChanged(message.certificates, message.renew)
        return
      case 'removed':
        callbacks.removed()
        return
      case 'relay': {
        using wait = startWait({
          timeoutMs: connectTimeoutMs,
          signal: this.#stop.signal,
          what: 'a relay to open',
        })
        try {
          serveRelay(await client.openRaw(`/v1/relay/${message.id}`, wait), engine.transport.socketPath)
        } catch (error) {
          logger.warn('a relay was not opened', { error })
        }
        return
      }
      default:
        return
    }
  }
}
