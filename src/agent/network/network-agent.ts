import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { Random } from '#lib/random.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { DataPlaneMember } from '#model/data-plane.ts'
import { isHostsOwn, isNodeLocal } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import type { Task } from '#model/task.ts'
import type { DataPlaneChange, Difference } from '#rpc/messages.ts'
import type { Attached, AttachmentProvider } from '../executor/attachments.ts'
import { CniWiring } from './cni/cni-wiring.ts'
import { DataPlaneState } from './data-plane-state.ts'
import { DataPlaneWriter } from './data-plane-writer.ts'
import { cablePrefix } from './device-names.ts'
import { Edition } from './dns/edition.ts'
import { serveSandboxNames } from './dns/sandbox-names.ts'
import type { Examined } from './doctor/examination.ts'
import { Encryption } from './encryption/encryption.ts'
import { EngineNetworkIds } from './engine-network-ids.ts'
import { addressConfig, EngineNetworks, spanningNetworks } from './engine-networks.ts'
import { Guard } from './guard/guard.ts'
import { watchKernel } from './kernel-watch.ts'
import { KnownNetworks } from './known-networks.ts'
import { HostMesh } from './mesh/host-mesh.ts'
import { forgetUnanswered } from './neighbours.ts'
import { NetworkPresence } from './network-presence.ts'
import { NodeLocalNetworks } from './node-local-networks.ts'
import { OverlayDriver } from './overlay-driver.ts'
import { mtuOf, overheadBytes } from './overlay/links.ts'
import { OverlayWiring } from './overlay/overlay-wiring.ts'
import { Overlays } from './overlay/overlays.ts'
import { ShortcutTable } from './overlay/shortcuts.ts'
import { Pace } from './pace.ts'
import { servePlugin } from './plugin/server.ts'
import { runningEndpoints } from './running-endpoints.ts'
import { namespaceThere } from './sandbox-namespace.ts'
import { Sandboxes } from './sandboxes.ts'

export interface NetworkAgentOptions {
  readonly engine: Engine
  readonly nodeId: string
  /** Tells apart the daemons that share a host. */
  readonly dataDir: string
  readonly random: Random
  readonly clock: Clock
  readonly logger: Logger
  /** This host has another key of its encrypted tunnels. */
  readonly tunnelKeyChanged: () => void
  /** A cable of this host carries something again. */
  readonly linkIsBack: () => void
}

const pluginsFolder = '/run/docker/plugins'
const compareEveryMs = 15_000
const restoreAgainMs = 1_000
/** The engine waits so long with a container whose network the managers have not told of. */
const toldWithinMs = 20_000
const lookAgainMs = 100
/** A change that fails is tried again so often before it waits for the next comparison. */
const applyAttempts = 3
const applyAgainMs = 200

/**
 * This host's part in the cluster's networks: what the managers say of the data plane becomes links, forwarding
 * entries, rules and names of this kernel, one change after the other.
 */
export class NetworkAgent implements AttachmentProvider, AsyncDisposable {
  readonly #options: NetworkAgentOptions
  readonly #mark: string
  readonly #driverName: string
  readonly #edition = new Edition()
  readonly #state = new DataPlaneState(() => {
    this.#edition.advance()
  })
  readonly #networks = new KnownNetworks(() => {
    this.#edition.advance()
  })
  readonly #sandboxes = new Sandboxes(() => {
    this.#edition.advance()
  })
  readonly #mutex = new Mutex()
  readonly #pace = new Pace()
  readonly #stop = new AbortController()
  readonly #owned = new AsyncDisposableStack()
  readonly #encryption: Encryption
  readonly #engineNetworks: EngineNetworks
  readonly #nodeLocal: NodeLocalNetworks
  readonly #overlays: Overlays
  readonly #shortcuts: ShortcutTable
  readonly #guard: Guard
  readonly #mesh: HostMesh
  readonly #presence: NetworkPresence
  readonly #writer: DataPlaneWriter
  #nameserver = ''
  /** A change was not written whole: the next one writes everything. */
  #isUnsure = false

  static async start(options: NetworkAgentOptions): Promise<NetworkAgent> {
    const { nodeId, dataDir, clock, logger, tunnelKeyChanged } = options
    const mark = createHash('sha256').update(dataDir).digest('hex').slice(0, 8)
    const encryption = await Encryption.start({
      ...{ nodeId, dataDir, mark, clock, logger },
      keyChanged: tunnelKeyChanged,
    })
    const agent = new NetworkAgent(options, mark, encryption)
    await agent.#start()
    return agent
  }

  private constructor(options: NetworkAgentOptions, mark: string, encryption: Encryption) {
    const { nodeId, logger, engine } = options
    const table = `mure_${mark}`
    this.#options = options
    this.#mark = mark
    this.#driverName = `mure-${mark}`
    this.#encryption = this.#owned.use(encryption)
    this.#engineNetworks = new EngineNetworks(engine, spanningNetworks(this.#driverName))
    this.#nodeLocal = new NodeLocalNetworks(engine)
    this.#guard = new Guard({ table, cablePrefix: cablePrefix(mark), logger })
    this.#shortcuts = new ShortcutTable(table, logger)
    const [state, networks, sandboxes] = [this.#state, this.#networks, this.#sandboxes]
    this.#overlays = new Overlays({ ...{ nodeId, mark, encryption, state }, port: () => state.port })
    this.#mesh = new HostMesh({ nodeId, state, table, logger })
    this.#presence = this.#owned.use(
      new NetworkPresence({
        ...{ nodeId, networks, state, sandboxes },
        ...{ overlays: this.#overlays, mesh: this.#mesh, engineNetworks: this.#engineNetworks },
        again: () => {
          this.#inTurn(() => this.#presence.removeUnused())
        },
      }),
    )
    this.#writer = new DataPlaneWriter({
      ...{ nodeId, mark, state, networks, sandboxes, encryption, logger },
      ...{ presence: this.#presence, overlays: this.#overlays, shortcuts: this.#shortcuts },
      ...{ guard: this.#guard, mesh: this.#mesh },
      nameserver: () => this.#nameserver,
      signal: this.#stop.signal,
    })
  }

  /** Of this host's encrypted tunnels; undefined: it cannot encrypt. */
  get tunnelKey(): string | undefined {
    return this.#encryption.publicKey
  }

  /** What the assignments say of networks. */
  setNetworks(networks: Difference<Network>, isFull: boolean): void {
    this.#networks.take(networks, isFull)
    // After a start, what runs here may have been found before its networks were told.
    if (networks.put.some(({ meta }) => this.#sandboxes.uses(meta.id) && !this.#overlays.has(meta.id)))
      this.#inTurn(() => this.#writer.sync(undefined))
    if (isFull || networks.remove.length > 0) this.#background(this.#removeNodeLocal())
  }

  /** Resolves once this host's kernel does so. */
  async apply(change: DataPlaneChange): Promise<void> {
    const isUrgent = this.#state.isUrgent(change)
    const changed = this.#state.apply(change)
    if (!isUrgent) await this.#pace.rest(this.#stop.signal)
    for (let attempt = 1; ; attempt++)
      try {
        await this.#mutex.run(async () => {
          const all = this.#isUnsure ? undefined : changed
          this.#isUnsure = true
          await this.#pace.measured(() => this.#writer.sync(all))
          this.#isUnsure = false
        })
        return
      } catch (error) {
        if (attempt === applyAttempts || this.#stop.signal.aborted) throw error
        this.#options.logger.debug('a change of the data plane is tried again', { error })
        await sleep(applyAgainMs, this.#stop.signal)
      }
  }

  /** @see AttachmentProvider */
  async attach(task: Task, signal: AbortSignal): Promise<Attached> {
    // A host's own network is the engine's matter.
    const own = (task.spec.networks ?? []).find(({ target }) => isHostsOwn(target))
    if (task.attachments.length === 0) return own === undefined ? {} : { networkMode: own.target }
    const isSpanning = task.attachments.some(({ addresses }) => addresses.length > 0)
    const ends: { name: string; config: object }[] = []
    for (const { networkId, addresses } of task.attachments) {
      const network = this.#networks.get(networkId)
      if (network === undefined) throw new MureError('unavailable', `network ${networkId} has not come yet`)
      signal.throwIfAborted()
      const name = await this.#engineNetwork(network)
      ends.push({ name, config: await addressConfig(addresses) })
    }
    const [first, ...others] = ends
    if (first === undefined) return {}
    return {
      networkMode: first.name,
      endpoints: { [first.name]: first.config },
      connects: others,
      ...(isSpanning ? { nameservers: [this.#nameserver] } : {}),
    }
  }

  /** Makes a network ready for a plain container of this host. */
  async prepare(network: Network): Promise<{ readonly engineNetwork: string; readonly nameserver: string }> {
    this.#networks.put(network)
    return { engineNetwork: await this.#engineNetwork(network), nameserver: this.#nameserver }
  }

  async #engineNetwork(network: Network): Promise<string> {
    if (isNodeLocal(network)) return this.#nodeLocal.ensure(network)
    // Plugins make what they need when a container comes.
    if (!this.#networks.isCni(network.meta.id)) await this.#mutex.run(() => this.#overlays.ensure(network))
    return this.#presence.engineNetwork(network)
  }

  /** A container may still be ending: what its network is kept for is looked at again with the next comparison. */
  #removeNodeLocal(): Promise<void> {
    return this.#nodeLocal.removeUnused((id) => this.#networks.get(id) !== undefined)
  }

  /** Everybody on the routing mesh's network. */
  ingressMembers(): Iterable<DataPlaneMember> {
    const { ingress } = this.#networks
    return ingress === undefined ? [] : this.#state.members(ingress.meta.id)
  }

  /** Whether a host has not been heard for so long that its tasks are made anew elsewhere. */
  isHostDown(nodeId: string): boolean {
    return this.#state.hosts.get(nodeId)?.isDown === true
  }

  /** This host's address of the data path; '' before it is known. */
  localAddress(): string {
    return this.#state.hosts.get(this.#options.nodeId)?.address ?? ''
  }

  /** From now on the mesh's network is on this host though nothing is published through it, or need not be. */
  async keepIngressNetwork(isKept: boolean): Promise<void> {
    if (this.#presence.keepIngress(isKept)) await this.#mutex.run(() => this.#writer.sync(undefined))
  }

  /** For `mure network doctor`. */
  examined(): Examined {
    const localAddress = this.localAddress()
    return {
      networks: this.#overlays.present.length,
      port: this.#state.port,
      probeDevice: `mup${this.#mark}`,
      mtu: () => mtuOf(localAddress).then((mtu) => mtu - overheadBytes(localAddress)),
      differences: () => this.#mutex.run(() => this.#writer.differences()),
      repair: () => this.#mutex.run(() => this.#writer.compare(this.#isUnsure)),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#owned.disposeAsync()
    await this.#mutex.run(() => this.#mesh[Symbol.asyncDispose]())
  }

  /** Leaving the cluster: nothing of it stays in the kernel or the engine. */
  async removeAll(): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#mesh.remove()
      for (const id of (await this.#engineNetworks.list()).values()) await this.#engineNetworks.evict(id)
      await this.#nodeLocal.removeAll()
      await this.#overlays.removeAll()
      await this.#encryption.forget()
      await this.#guard.remove()
      await this.#shortcuts.remove()
    })
  }

  async #start(): Promise<void> {
    const { engine, dataDir, random, clock, logger, linkIsBack } = this.#options
    const [state, networks, sandboxes] = [this.#state, this.#networks, this.#sandboxes]
    const names = await serveSandboxNames({
      ...{ engine, state, networks, sandboxes, random, clock, logger },
      edition: this.#edition,
    })
    this.#owned.use(names)
    this.#nameserver = names.address
    await this.#writer.readResolvers()
    const networkIds = await EngineNetworkIds.read(join(dataDir, 'engine-networks.json'))
    const driver = this.#driver(networkIds)
    this.#owned.use(await servePlugin(join(pluginsFolder, `${this.#driverName}.sock`), driver, logger))
    this.#background(this.#restoreAtLast())
    const timer = setInterval(() => {
      this.#inTurn(() => this.#writer.compare(this.#isUnsure))
      this.#background(this.#removeNodeLocal())
    }, compareEveryMs)
    this.#owned.defer(() => {
      clearInterval(timer)
    })
    const watches = watchKernel(`mure_${this.#mark}`, logger, {
      rulesLost: () => {
        this.#inTurn(() => this.#writer.repairRules())
      },
      linkLost: () => {
        this.#inTurn(() => this.#writer.repairLinks())
      },
      linkIsBack: () => {
        this.#background(forgetUnanswered().finally(linkIsBack))
      },
    })
    for (const watch of watches) this.#owned.use(watch)
  }

  /** What the engine asks to have containers wired. */
  #driver(networkIds: EngineNetworkIds): OverlayDriver {
    const networks = this.#networks
    const overlay = new OverlayWiring({
      mark: this.#mark,
      guard: this.#guard,
      links: async (networkId) => {
        const network = networks.get(networkId)
        if (network === undefined)
          throw new MureError('unavailable', `network ${networkId} is not known here`)
        return this.#mutex.run(() => this.#overlays.ensure(network))
      },
    })
    const cni = new CniWiring({
      networkOf: (networkId) => networks.get(networkId),
      folder: join(this.#options.dataDir, 'cni'),
    })
    return new OverlayDriver({
      sandboxes: this.#sandboxes,
      networkIds,
      told: (networkId) => this.#told(networkId),
      nameserver: this.#nameserver,
      logger: this.#options.logger,
      wiringOf: (networkId) => (networks.isCni(networkId) ? cni : overlay),
      ownNetworkOf: async (engineId) => {
        const own = (await this.#engineNetworks.list()).get(engineId)
        if (own === undefined || own === '')
          throw new MureError('not-found', `network ${engineId} is not ours`)
        return own
      },
      changed: (sandbox) => {
        this.#background(this.#sandboxChanged(sandbox))
      },
    })
  }

  /**
   * What is announced is waited for outside of the turn: the engine makes a sandbox when it has all of its ends, and
   * asks for those one by one.
   */
  async #sandboxChanged(sandbox: string): Promise<void> {
    await namespaceThere(sandbox, () => this.#sandboxes.bySandbox().has(sandbox), this.#stop.signal)
    await this.#mutex.run(() => this.#writer.sandboxChanged(sandbox))
  }

  /** An engine that starts its containers again asks before the managers have told of anything. */
  async #told(networkId: string): Promise<void> {
    using wait = startWait({
      timeoutMs: toldWithinMs,
      signal: this.#stop.signal,
      what: `the managers to tell of network ${networkId}`,
    })
    const isTold = () =>
      this.#networks.get(networkId) !== undefined && this.#state.hosts.has(this.#options.nodeId)
    while (!isTold()) await sleep(lookAgainMs, wait.signal)
  }

  /** Containers that ran before this process did are found by what the engine knows of them. */
  async #restore(): Promise<void> {
    const own = await this.#engineNetworks.list()
    this.#presence.adopt(own.values())
    await this.#nodeLocal.adopt()
    for (const endpoint of await runningEndpoints(this.#options.engine, own)) this.#sandboxes.put(endpoint)
    await this.#writer.restore((work) => this.#mutex.run(work))
  }

  /** The engine may be away when this daemon comes up. */
  async #restoreAtLast(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#restore()
        return
      } catch (error) {
        this.#options.logger.debug('the containers of this host are not known yet', { error })
        await sleep(restoreAgainMs, signal).catch(() => undefined)
      }
    }
  }

  /** After all that was begun before. */
  #inTurn(work: () => Promise<unknown>): void {
    this.#background(this.#mutex.run(work))
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#stop.signal.aborted)
        this.#options.logger.warn('the network of this host is not in order', { error })
    })
  }
}
