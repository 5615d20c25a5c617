import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { Engine } from '#engine/engine.ts'
import type { EngineEvent } from '#engine/types.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { abortable, sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Network } from '#model/network.ts'
import type { Assignments, ManagerAddress, RelayRequest } from '#rpc/messages.ts'
import { examinationPath } from '#rpc/messages.ts'
import type { NodeUsage } from '#model/usage.ts'
import type { Identity, RpcClient } from '#rpc/transport.ts'
import { watchEngine } from './engine-watch.ts'
import { defaultBridge } from './executor/attachments.ts'
import { Executor } from './executor/executor.ts'
import { TaskFiles } from './executor/files/task-files.ts'
import { IngressAgent } from './ingress/ingress-agent.ts'
import { serveExamination } from './network/doctor/examination.ts'
import { ImageExchange } from './images/exchange.ts'
import { PeerImages } from './images/peers.ts'
import { serveImageRelay } from './images/serve.ts'
import { PlainContainers } from './network/plain-containers.ts'
import { NetworkAgent } from './network/network-agent.ts'
import { NodeDescriber } from './node-describer.ts'
import { changesPlugins } from './session/describe.ts'
import { EndedTasks } from './session/ended-tasks.ts'
import { SessionEpoch } from './session/epoch.ts'
import { ManagerList } from './session/managers.ts'
import { runSession } from './session/session.ts'
import type { AgentCallbacks, OpenSession } from './session/session.ts'
import { dialledAt } from './session/own-manager.ts'
import { SessionLoop } from './session/session-loop.ts'
import { serveRelay } from './session/relay.ts'
import { StatusOutbox } from './session/status-outbox.ts'
import { UsageSampler } from './usage/sampler.ts'

export type { AgentCallbacks } from './session/session.ts'

export interface AgentOptions {
  readonly engine: Engine
  /** Asked for each session anew: certificates are renewed meanwhile. The node's id never changes. */
  readonly identity: () => Identity
  readonly clusterId: string
  readonly advertiseAddress: string
  readonly listenAddress: string
  /** '' = as `advertiseAddress`. */
  readonly dataPathAddress: string
  /** Known besides those on disk: the one we joined through, or ourselves. */
  readonly managers: readonly ManagerAddress[]
  readonly dataDir: string
  /** For what must not outlive a reboot. */
  readonly runDir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly callbacks: AgentCallbacks
  /** Default true. Without the cluster's networks every task is on the engine's own bridge. */
  readonly hasNetworks?: boolean
}

/** An engine that is silent at the start is not waited for any longer before the node shows itself. */
const firstDescriptionMs = 2_000
/** Plugins and the like may change without the engine saying so. */
const describeEveryMs = 60_000

/**
 * Runs this node's tasks for whichever manager answers. Managers may come and go: without one, tasks run on, and
 * what happens to them is told to the next. Stopping the agent stops no task.
 */
export class Agent implements AsyncDisposable {
  readonly #options: AgentOptions
  readonly #stop = new AbortController()
  readonly #managers: ManagerList
  readonly #epoch: SessionEpoch
  readonly #outbox: StatusOutbox
  readonly #describer: NodeDescriber
  readonly #executor: Executor
  readonly #files: TaskFiles
  readonly #exchange: ImageExchange
  readonly #network: NetworkAgent | undefined
  readonly #plain: PlainContainers
  readonly #ingress: IngressAgent | undefined
  readonly #usage: UsageSampler
  readonly #sessions: SessionLoop
  readonly #following: Promise<unknown>
  readonly #assigned = Promise.withResolvers<undefined>()
  #session: OpenSession | undefined
  /** The connection of the session that is open. */
  #client: RpcClient | undefined
  #identity: Pick<Identity, 'certificate' | 'trust'>
  #isRemoved = false

  static async start(options: AgentOptions): Promise<Agent> {
    const managers = new ManagerList(options.dataDir, options.logger)
    await managers.load()
    await managers.add(options.managers)
    const changes: HostChanges = { linkIsBack: () => undefined, tunnelKeyChanged: () => undefined }
    const network = await startNetwork(options, {
      linkIsBack: () => {
        changes.linkIsBack()
      },
      tunnelKeyChanged: () => {
        changes.tunnelKeyChanged()
      },
    })
    const ended = await EndedTasks.open(join(options.dataDir, 'ended-tasks.jsonl'), options.logger)
    const agent = new Agent(options, managers, ended, network)
    changes.linkIsBack = () => {
      // An attempt that began before would wait for its packet to be sent again.
      if (agent.#session === undefined) agent.reconnect()
    }
    changes.tunnelKeyChanged = () => {
      agent.#describer.tunnelKeyChanged(network?.tunnelKey)
    }
    return agent
  }

  private constructor(
    options: AgentOptions,
    managers: ManagerList,
    ended: EndedTasks,
    network: NetworkAgent | undefined,
  ) {
    const { engine, clock, logger, identity } = options
    this.#options = options
    this.#network = network
    this.#managers = managers
    this.#epoch = new SessionEpoch(options.dataDir, clock, logger)
    this.#outbox = new StatusOutbox(ended)
    this.#identity = identity()
    this.#describer = new NodeDescriber(engine, identity, (description) => {
      this.#session?.describe(description)
    })
    this.#describer.tunnelKeyChanged(network?.tunnelKey)
    const { nodeId } = identity()
    this.#files = new TaskFiles(join(options.runDir, 'files'))
    this.#exchange = new ImageExchange({ engine, folder: join(options.dataDir, 'layers'), logger })
    this.#executor = new Executor({
      engine,
      peers: new PeerImages({ exchange: this.#exchange, client: () => this.#client, logger }),
      clock,
      logger,
      clusterId: options.clusterId,
      nodeId,
      attachments: network ?? defaultBridge,
      files: this.#files,
      node: () => {
        const { hostname, platform } = this.#describer.current
        return { id: nodeId, hostname, ...platform }
      },
      report: (taskId, status) => {
        this.#outbox.add(taskId, status)
      },
      unstoredEnd: (taskId) => ended.get(taskId),
      forgotten: (taskId) => {
        this.#outbox.drop(taskId)
      },
    })
    this.#plain = new PlainContainers({
      engine,
      clock,
      logger,
      release: (taskId) => options.callbacks.release(taskId),
      report: (taskId, status) => {
        this.#outbox.add(taskId, status)
      },
    })
    if (network !== undefined)
      this.#ingress = new IngressAgent({
        folder: join(options.runDir, 'ingress'),
        accessLogFile: join(options.dataDir, 'ingress-access.log'),
        network,
        clock,
        logger: logger.child({ part: 'ingress' }),
        report: (state) => {
          this.#describer.ingressChanged(state)
        },
      })
    this.#usage = new UsageSampler({
      clock,
      running: () => this.#executor.running(),
      tell: (usage) => {
        this.#session?.usage(usage)
      },
    })
    this.#following = Promise.all([this.#watchEngine(), this.#describeNowAndThen()])
    const described = this.#describer.refresh(this.#stop.signal, firstDescriptionMs)
    this.#sessions = new SessionLoop({
      managers,
      identity,
      dialledAt: (address) => dialledAt(address, options),
      clock,
      random: options.random,
      logger,
      run: async (client, signal) => {
        await described
        await this.#runSession(client, signal)
      },
      expired: () => {
        options.callbacks.expired()
      },
    })
  }

  /** Every manager that is known now. */
  get managers(): readonly ManagerAddress[] {
    return this.#managers.all
  }

  /** Resolves once a manager has written this node down and told it what to run. */
  async known(wait: Wait): Promise<void> {
    await abortable(this.#assigned.promise, wait.signal, 'a manager to know this host')
  }

  /** What this host and its tasks use now; undefined: not known yet. */
  get usage(): NodeUsage | undefined {
    return this.#usage.latest
  }

  /** Ends the session, so that the next begins with the present identity. */
  reconnect(): void {
    this.#sessions.renew()
  }

  /** Makes a network ready for a plain container of this host; undefined: this host has no part in networks. */
  async prepareNetwork(network: Network) {
    return this.#network?.prepare(network)
  }

  /** The place of a plain container of this host on a network. */
  placeOf(containerId: string, networkId: string): string | undefined {
    return this.#plain.placeOf(containerId, networkId)
  }

  /** Leaving the cluster: its tasks end here, without any grace. */
  async removeTasks(): Promise<void> {
    await this.#executor.removeAll()
    await this.#ingress?.configure(undefined)
    await this.#network?.removeAll()
  }

  /** Before this process ends for a moment: the managers hear that what runs here runs on. */
  async farewell(backWithinMs: number, wait: Wait): Promise<void> {
    await this.#session?.farewell(backWithinMs, wait)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#usage[Symbol.dispose]()
    await this.#sessions[Symbol.asyncDispose]()
    await this.#executor[Symbol.asyncDispose]()
    await this.#files[Symbol.asyncDispose]()
    await this.#plain[Symbol.asyncDispose]()
    await this.#ingress?.[Symbol.asyncDispose]()
    await this.#network?.[Symbol.asyncDispose]()
    await this.#following
  }

  async #runSession(client: RpcClient, signal: AbortSignal): Promise<void> {
    const { advertiseAddress, listenAddress, dataPathAddress, logger } = this.#options
    const description = this.#describer.current
    try {
      await runSession(client, {
        hello: {
          type: 'hello',
          description,
          advertiseAddress,
          listenAddress,
          bootEpoch: await this.#epoch.next(),
          ...(dataPathAddress === '' ? {} : { dataPathAddress }),
        },
        callbacks: this.#options.callbacks,
        removed: () => {
          this.#removed()
        },
        outbox: this.#outbox,
        logger,
        relay: (request, stream) => {
          this.#relay(request, stream)
        },
        signal,
        checkIdentity: () => {
          this.#checkIdentity()
        },
        dataPlane: async (change) => {
          await this.#network?.apply(change)
          await this.#ingress?.sync()
        },
        ingress: (configuration) => {
          if (this.#ingress !== undefined)
            this.#background(this.#ingress.configure(configuration), 'the ingress was not configured')
        },
        withdrawn: (taskIds) => {
          this.#executor.withdrawn(taskIds)
        },
        assign: (assignments) => {
          this.#assign(assignments)
        },
        managersKnown: (managers) => {
          this.#background(this.#managers.set(managers), 'the list of managers was not kept')
        },
        opened: (session) => {
          this.#session = session
          this.#client = client
          // It has changed since the hello, while there was nobody to tell.
          if (this.#describer.current !== description) session.describe(this.#describer.current)
        },
      })
    } finally {
      this.#session = undefined
      this.#client = undefined
    }
  }

  /** A manager's request on a stream of its own: an image, an examination of the network, or else the engine's. */
  #relay(request: RelayRequest, stream: Duplex): void {
    const { logger, engine } = this.#options
    if (request.path === examinationPath) {
      const examined = this.#network?.examined()
      if (examined === undefined) stream.destroy()
      else this.#background(serveExamination(stream, examined, logger), 'an examination broke off')
      return
    }
    const parts = { exchange: this.#exchange, logger, signal: this.#stop.signal }
    if (!serveImageRelay(request, stream, parts)) serveRelay(stream, engine.transport.socketPath)
  }

  #assign(assignments: Assignments): void {
    const { full, tasks, secrets, configs, networks } = assignments
    this.#network?.setNetworks(networks, full)
    this.#files.assign(secrets, configs, full)
    this.#executor.assign(this.#plain.take(tasks, full), full)
    if (full) this.#assigned.resolve(undefined)
  }

  #removed(): void {
    if (this.#isRemoved) return
    this.#isRemoved = true
    this.#sessions.end()
    this.#background(this.#executor.removeAll(), 'the tasks of this removed node are left for now')
    if (this.#ingress !== undefined)
      this.#background(this.#ingress.configure(undefined), 'the ingress of this removed node is left for now')
    this.#options.callbacks.removed()
  }

  /** A renewed certificate is told to the managers: they wait for it while the cluster's root is replaced. */
  #checkIdentity(): void {
    const { certificate, trust } = this.#options.identity()
    if (certificate === this.#identity.certificate && trust === this.#identity.trust) return
    this.#identity = { certificate, trust }
    this.#describer.identityChanged()
  }

  #watchEngine(): Promise<void> {
    const { signal } = this.#stop
    const { engine, logger } = this.#options
    const listener = {
      engineIsUp: () => {
        this.#executor.lookAtAll()
        this.#background(this.#describer.refresh(signal), 'the node was not described')
      },
      engineIsDown: (problem: string) => {
        this.#describer.engineIsDown(problem)
      },
      hear: (event: EngineEvent) => {
        if (event.Type === 'container') this.#executor.hear(event)
        if (event.Type === 'container' || event.Type === 'network') this.#plain.hear(event)
        if (changesPlugins(event, this.#describer.current))
          this.#background(this.#describer.refresh(signal), 'the node was not described')
      },
    }
    return watchEngine(engine, listener, { signal, logger })
  }

  async #describeNowAndThen(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await sleep(describeEveryMs, signal).catch(() => undefined)
      if (!signal.aborted) await this.#describer.refresh(signal)
    }
  }

  #background(work: Promise<unknown>, failure: string): void {
    work.catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.logger.warn(failure, { error })
    })
  }
}

/** What the network tells of this host. */
interface HostChanges {
  linkIsBack: () => void
  tunnelKeyChanged: () => void
}

/** A host that cannot have the cluster's networks still runs tasks without them. */
async function startNetwork(options: AgentOptions, changes: HostChanges): Promise<NetworkAgent | undefined> {
  if (options.hasNetworks === false) return undefined
  const { engine, dataDir, random, clock, logger, identity } = options
  try {
    const { nodeId } = identity()
    return await NetworkAgent.start({ engine, nodeId, dataDir, random, clock, logger, ...changes })
  } catch (error) {
    logger.error('this host has no part in the networks of the cluster', { error })
    return undefined
  }
}
