import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { Random } from '#lib/random.ts'
import type { DataPlaneMember } from '#model/data-plane.ts'
import { cniDriver } from '#model/cni.ts'
import type { KernelDifference } from '#model/network-examination.ts'
import { sleep } from '#lib/wait.ts'
import { isHostsOwn } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import type { Task } from '#model/task.ts'
import type { DataPlaneChange, Difference } from '#rpc/messages.ts'
import type { Attached, AttachmentProvider } from '../executor/attachments.ts'
import { Askers } from './cni/askers.ts'
import { CniWiring } from './cni/cni-wiring.ts'
import { DataPlaneState } from './data-plane-state.ts'
import type { Examined } from './doctor/examination.ts'
import { answer } from './dns/answer.ts'
import { containersResolvers, hostResolvers } from './dns/host-resolvers.ts'
import { listenForNames } from './dns/nameserver.ts'
import { OwnResolvers } from './dns/own-resolvers.ts'
import { Upstream } from './dns/upstream.ts'
import { addressConfig, EngineNetworks } from './engine-networks.ts'
import { cablePrefix, hostVeth, macOfAddress, macOfHost } from './device-names.ts'
import { innerAddress } from './encryption/config.ts'
import { Encryption } from './encryption/encryption.ts'
import { Guard } from './guard/guard.ts'
import { watchKernel } from './kernel-watch.ts'
import { HostMesh } from './mesh/host-mesh.ts'
import { numberHosts } from './mesh/return-path.ts'
import type { HostNumbers } from './mesh/return-path.ts'
import { OverlayDriver } from './overlay-driver.ts'
import { mtuOf, overheadBytes } from './overlay/links.ts'
import { OverlayWiring } from './overlay/overlay-wiring.ts'
import { Overlays } from './overlay/overlays.ts'
import { ShortcutTable } from './overlay/shortcuts.ts'
import { servePlugin } from './plugin/server.ts'
import { virtualAddressesOf } from './rules/virtual-addresses.ts'
import { runningEndpoints } from './running-endpoints.ts'
import { SandboxKeeper } from './sandbox-keeper.ts'
import type { SandboxRules } from './sandbox-rules.ts'
import { Sandboxes } from './sandboxes.ts'
import type { LocalEndpoint } from './sandboxes.ts'

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
const lookAgainMs = 300
const freshMs = 5_000
const restoreAgainMs = 1_000
/** A change that fails is tried again so often before it waits for the next comparison. */
const applyAttempts = 3
const applyAgainMs = 200

/**
 * This host's part in the cluster's networks: what the managers say of the data plane becomes links, forwarding
 * entries, rules and names of this kernel, in that order, one change after the other.
 */
export class NetworkAgent implements AttachmentProvider, AsyncDisposable {
  readonly #options: NetworkAgentOptions
  readonly #state = new DataPlaneState()
  readonly #networks = new Map<string, Network>()
  readonly #sandboxes = new Sandboxes()
  readonly #keeper: SandboxKeeper
  readonly #askers = new Askers(this.#sandboxes, (networkId) => isCni(this.#networks.get(networkId)))
  readonly #mutex = new Mutex()
  readonly #stop = new AbortController()
  readonly #owned = new AsyncDisposableStack()
  readonly #overlays: Overlays
  readonly #mesh: HostMesh
  readonly #guard: Guard
  readonly #shortcuts: ShortcutTable
  readonly #mark: string
  readonly #encryption: Encryption
  readonly #engineNetworks: EngineNetworks
  #nameserver = ''
  #resolvers: readonly string[] = []
  #hostNumbers: HostNumbers = new Map()
  #port = 4789
  #bridges = ''
  /** Networks that the engine has an object for, and when somebody last wanted it. */
  readonly #made = new Map<string, number>()
  /** The HTTP ingress here sends requests to tasks of any host. */
  #isIngressKept = false
  #looking: NodeJS.Timeout | undefined
  /** A change was not written whole: the next one writes everything. */
  #isUnsure = false
  /** What ran before this process did is known. */
  #isRestored = false

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
    this.#options = options
    this.#encryption = this.#owned.use(encryption)
    this.#engineNetworks = new EngineNetworks(engine, `mure-${mark}`)
    this.#driverName = `mure-${mark}`
    this.#mark = mark
    this.#guard = new Guard({ table: `mure_${mark}`, cablePrefix: cablePrefix(mark), logger })
    this.#shortcuts = new ShortcutTable(`mure_${mark}`, logger)
    this.#overlays = new Overlays({
      ...{ nodeId, mark, encryption },
      state: this.#state,
      port: () => this.#port,
    })
    this.#keeper = new SandboxKeeper({
      sandboxes: this.#sandboxes,
      rulesOf: (ends) => this.#rulesOf(ends),
      signal: this.#stop.signal,
      logger,
    })
    this.#mesh = new HostMesh({ nodeId, state: this.#state, table: `mure_${mark}`, logger })
  }

  readonly #driverName: string

  /** Of this host's encrypted tunnels; undefined: it cannot encrypt. */
  get tunnelKey(): string | undefined {
    return this.#encryption.publicKey
  }

  /** What the assignments say of networks. */
  setNetworks(networks: Difference<Network>, isFull: boolean): void {
    if (isFull) this.#networks.clear()
    for (const network of networks.put) this.#networks.set(network.meta.id, network)
    for (const id of networks.remove) this.#networks.delete(id)
    // After a start, what runs here may have been found before its networks were told.
    if (networks.put.some(({ meta }) => this.#sandboxes.uses(meta.id) && !this.#overlays.has(meta.id)))
      this.#background(this.#mutex.run(() => this.#sync(undefined)))
  }

  /** Resolves once this host's kernel does so. */
  async apply(change: DataPlaneChange): Promise<void> {
    const changed = this.#state.apply(change)
    this.#port = change.port
    for (let attempt = 1; ; attempt++)
      try {
        await this.#mutex.run(async () => {
          const all = this.#isUnsure ? undefined : changed
          this.#isUnsure = true
          await this.#sync(all)
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
    const ends: { name: string; config: object }[] = []
    for (const { networkId, addresses } of task.attachments) {
      const network = this.#networks.get(networkId)
      if (network === undefined) throw new MureError('unavailable', `network ${networkId} has not come yet`)
      signal.throwIfAborted()
      await this.#ensureLinks(network)
      this.#made.set(network.meta.id, performance.now())
      const name = await this.#engineNetworks.ensure(network)
      ends.push({ name, config: await addressConfig(addresses) })
    }
    const [first, ...others] = ends
    if (first === undefined) return {}
    return {
      networkMode: first.name,
      endpoints: { [first.name]: first.config },
      connects: others,
      nameservers: [this.#nameserver],
    }
  }

  async #ensureLinks(network: Network): Promise<void> {
    // Plugins make what they need when a container comes.
    if (!isCni(network)) await this.#mutex.run(() => this.#overlays.ensure(network))
  }

  /** Makes a network ready for a plain container of this host. */
  async prepare(network: Network): Promise<{ readonly engineNetwork: string; readonly nameserver: string }> {
    this.#networks.set(network.meta.id, network)
    await this.#ensureLinks(network)
    this.#made.set(network.meta.id, performance.now())
    const engineNetwork = await this.#engineNetworks.ensure(network)
    return { engineNetwork, nameserver: this.#nameserver }
  }

  /** Everybody on the routing mesh's network. */
  ingressMembers(): Iterable<DataPlaneMember> {
    const ingress = this.#ingress()
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
    if (this.#isIngressKept === isKept) return
    this.#isIngressKept = isKept
    await this.#mutex.run(() => this.#sync(undefined))
  }

  /** For `mure network doctor`. */
  examined(): Examined {
    const localAddress = this.#state.hosts.get(this.#options.nodeId)?.address ?? ''
    return {
      networks: this.#overlays.present.length,
      port: this.#port,
      probeDevice: `mup${this.#mark}`,
      mtu: () => mtuOf(localAddress).then((mtu) => mtu - overheadBytes(localAddress)),
      differences: () => this.#mutex.run(() => this.#differences()),
      repair: () => this.#mutex.run(() => this.#compare()),
    }
  }

  async #differences(): Promise<KernelDifference[]> {
    const found: KernelDifference[] = []
    for (const id of this.#overlays.present)
      for (const what of await this.#overlays.differences(id))
        found.push({ network: this.#networks.get(id)?.spec.name ?? id, what })
    const rules = [...(await this.#guard.differences()), ...(await this.#mesh.differences())]
    rules.push(...(await this.#keeper.differences()))
    return [...found, ...rules.map((what) => ({ network: '', what }))]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#looking)
    await this.#owned.disposeAsync()
    await this.#mutex.run(() => this.#mesh[Symbol.asyncDispose]())
  }

  /** Leaving the cluster: nothing of it stays in the kernel or the engine. */
  async removeAll(): Promise<void> {
    await this.#mutex.run(async () => {
      await this.#mesh.remove()
      for (const id of (await this.#engineNetworks.list()).values()) await this.#engineNetworks.remove(id)
      await this.#overlays.removeAll()
      await this.#encryption.forget()
      await this.#guard.remove()
      await this.#shortcuts.remove()
    })
  }

  async #start(): Promise<void> {
    const { random, logger, clock } = this.#options
    const upstream = new Upstream({ servers: hostResolvers, clock })
    const own = new OwnResolvers(this.#options.engine, () => this.#nameserver)
    const nameserver = await listenForNames({
      upstream: {
        ask: async (message, from, protocol) => {
          const endpoint = this.#sandboxes.byAddress(from)
          if (endpoint !== undefined && (await own.has(endpoint)))
            throw new MureError('unavailable', 'the container has name servers of its own')
          return upstream.ask(message, from, protocol)
        },
      },
      logger,
      find: (from) => this.#askers.find(from),
      resolve: (query, from, limit) => {
        const endpoint = this.#sandboxes.byAddress(from)
        if (endpoint === undefined) return 'unknown'
        return answer(query, { networks: this.#namedNetworks(endpoint) }, this.#state, random, limit)
      },
    })
    this.#owned.use(nameserver)
    this.#nameserver = nameserver.address
    this.#resolvers = await containersResolvers()
    const overlay = new OverlayWiring({
      mark: this.#mark,
      guard: this.#guard,
      links: async (networkId) => {
        const network = this.#networks.get(networkId)
        if (network === undefined)
          throw new MureError('unavailable', `network ${networkId} is not known here`)
        return this.#mutex.run(() => this.#overlays.ensure(network))
      },
    })
    const cni = new CniWiring({
      networkOf: (networkId) => this.#networks.get(networkId),
      folder: join(this.#options.dataDir, 'cni'),
    })
    const driver = new OverlayDriver({
      sandboxes: this.#sandboxes,
      nameserver: this.#nameserver,
      logger,
      wiringOf: (networkId) => (isCni(this.#networks.get(networkId)) ? cni : overlay),
      ownNetworkOf: async (engineId) => {
        const own = (await this.#engineNetworks.list()).get(engineId)
        if (own === undefined || own === '')
          throw new MureError('not-found', `network ${engineId} is not ours`)
        return own
      },
      changed: (sandbox) => {
        this.#background(
          this.#mutex.run(async () => {
            await this.#keeper.sync(sandbox)
            await this.#removeUnused(this.#usedNetworks())
            await this.#shortcuts.sync(this.#wantedShortcuts())
          }),
        )
      },
    })
    this.#owned.use(await servePlugin(join(pluginsFolder, `${this.#driverName}.sock`), driver, logger))
    this.#background(this.#restoreAtLast())
    const timer = setInterval(() => {
      this.#background(this.#mutex.run(() => this.#compare()))
    }, compareEveryMs)
    this.#owned.defer(() => {
      clearInterval(timer)
    })
    const watches = watchKernel(`mure_${this.#mark}`, logger, {
      rulesLost: () => {
        this.#background(this.#mutex.run(() => this.#repairRules()))
      },
      linkLost: () => {
        this.#background(this.#mutex.run(() => this.#repairLinks()))
      },
      linkIsBack: this.#options.linkIsBack,
    })
    for (const watch of watches) this.#owned.use(watch)
  }

  /** Containers that ran before this process did are found by what the engine knows of them. */
  async #restore(): Promise<void> {
    const { engine } = this.#options
    const own = await this.#engineNetworks.list()
    for (const networkId of own.values()) this.#made.set(networkId, -Infinity)
    for (const endpoint of await runningEndpoints(engine, own)) this.#sandboxes.put(endpoint)
    await this.#guard.restore(
      this.#sandboxes.all().map(({ endpointId, address, address6 }) => ({
        device: hostVeth(this.#mark, endpointId),
        mac: macOfAddress(address),
        addresses: [address, address6].filter((one) => one !== ''),
      })),
    )
    await this.#mutex.run(() => this.#sync(undefined))
    this.#isRestored = true
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

  /** The networks that a sandbox is on. */
  #namedNetworks(endpoint: LocalEndpoint): Map<string, string> {
    const ids = this.#sandboxes.networksBeside(endpoint)
    return new Map([...ids].map((id) => [id, this.#networks.get(id)?.spec.name ?? '']))
  }

  /** Links, then forwarding, then rules: nothing is sent where it cannot arrive. Names follow the state itself. */
  async #sync(changed: ReadonlySet<string> | undefined): Promise<void> {
    if (!this.#state.hosts.has(this.#options.nodeId)) return
    this.#hostNumbers = numberHosts(this.#hostNumbers, this.#state.hosts.keys())
    const ingress = this.#ingress()
    for (const id of this.#usedNetworks()) {
      const network = this.#networks.get(id)
      if (network === undefined || isCni(network)) continue
      const isNew = !this.#overlays.has(id)
      await this.#overlays.ensure(network)
      if (isNew || changed === undefined || changed.has(id)) await this.#overlays.forward(id)
    }
    for (const [sandbox, ends] of this.#sandboxes.bySandbox())
      if (changed === undefined || ends.some(({ networkId }) => changed.has(networkId)))
        await this.#keeper.sync(sandbox)
    await this.#removeUnused(this.#usedNetworks())
    if (changed === undefined) await this.#overlays.meetHosts()
    const bridges = this.#overlays.bridges
    await this.#guard.sync({
      bridges,
      vxlanIds: this.#overlays.vxlanIds,
      port: this.#port,
      mac: macOfHost(this.#options.nodeId),
      hosts: [...this.#state.hosts.values()]
        .flatMap(({ nodeId, address, tunnelKey }) => [
          address,
          ...(tunnelKey === undefined ? [] : [innerAddress(nodeId)]),
        ])
        .sort(),
      encrypted: { device: this.#encryption.device, vxlanIds: this.#overlays.encryptedVxlanIds },
      nameserver: this.#nameserver,
    })
    const isMeshConcerned = changed === undefined || changed.has(ingress?.meta.id ?? '')
    if (ingress !== undefined && (isMeshConcerned || bridges.join() !== this.#bridges))
      await this.#mesh.sync(ingress, bridges)
    this.#bridges = bridges.join()
    await this.#shortcuts.sync(this.#wantedShortcuts())
  }

  #wantedShortcuts() {
    return this.#overlays.shortcuts(this.#sandboxes.all())
  }

  /** What a task here is on, or is about to be; and the mesh's own network while anything is published. */
  #usedNetworks(): Set<string> {
    const used = new Set<string>()
    for (const id of this.#networks.keys()) if (this.#isUsed(id) || this.#sandboxes.uses(id)) used.add(id)
    const ingress = this.#ingress()
    if (ingress !== undefined && (this.#isIngressKept || this.#mesh.isPublished(ingress.meta.id)))
      used.add(ingress.meta.id)
    return used
  }

  async #removeUnused(used: ReadonlySet<string>): Promise<void> {
    let isLeft = false
    for (const id of new Set([...this.#overlays.present, ...this.#made.keys()])) {
      if (used.has(id) || this.#sandboxes.uses(id)) continue
      // Wanted a moment ago: its container is about to be made.
      const isFresh = performance.now() - (this.#made.get(id) ?? -Infinity) < freshMs
      if (!isFresh && (await this.#engineNetworks.remove(id))) {
        this.#made.delete(id)
        await this.#overlays.remove(id)
        this.#mesh.bridgesAre(this.#overlays.bridges)
      } else isLeft = true
    }
    if (isLeft) this.#lookAgain()
  }

  /** The engine is still busy with a network's last container. */
  #lookAgain(): void {
    if (this.#stop.signal.aborted || this.#looking !== undefined) return
    this.#looking = setTimeout(() => {
      this.#looking = undefined
      this.#background(this.#mutex.run(() => this.#removeUnused(this.#usedNetworks())))
    }, lookAgainMs)
  }

  #rulesOf(ends: readonly LocalEndpoint[]): SandboxRules {
    const ingressId = this.#ingress()?.meta.id
    const end = ends.find(({ networkId }) => networkId === ingressId)
    return {
      names: { resolvers: this.#resolvers, nameserver: this.#nameserver },
      virtualAddresses: (family) =>
        new Map(
          ends.flatMap(({ networkId }) => [
            ...virtualAddressesOf(family, this.#state.endpoints(networkId), this.#state.members(networkId)),
          ]),
        ),
      ...(end === undefined
        ? {}
        : { mesh: { address: end.address, hasIpv6: end.address6 !== '', hosts: this.#hostNumbers } }),
    }
  }

  /** What somebody else has changed or flushed is put right. */
  async #compare(): Promise<void> {
    if (!this.#state.hosts.has(this.#options.nodeId)) return
    const isMissing = [...this.#usedNetworks()].some((id) => !this.#overlays.has(id))
    if (this.#isUnsure || isMissing) await this.#sync(undefined)
    await this.#repairLinks()
    await this.#repairRules()
    this.#resolvers = await containersResolvers()
    await this.#keeper.compare()
  }

  async #repairLinks(): Promise<void> {
    for (const id of this.#overlays.present) await this.#overlays.repair(id)
    await this.#shortcuts.repair(this.#wantedShortcuts())
    if (!this.#isRestored) return
    const stale = await this.#overlays.removeStale()
    if (stale.length > 0) this.#options.logger.info('links of networks that are gone were removed', { stale })
  }

  async #repairRules(): Promise<void> {
    await this.#guard.repair()
    await this.#mesh.repair(this.#ingress(), this.#overlays.bridges)
  }

  #ingress(): Network | undefined {
    for (const network of this.#networks.values()) if (network.spec.ingress) return network
    return undefined
  }

  #isUsed(networkId: string): boolean {
    for (const member of this.#state.members(networkId))
      if (member.nodeId === this.#options.nodeId) return true
    return false
  }

  #background(work: Promise<unknown>): void {
    work.catch((error: unknown) => {
      if (!this.#stop.signal.aborted)
        this.#options.logger.warn('the network of this host is not in order', { error })
    })
  }
}

const isCni = (network: Network | undefined): boolean => network?.spec.driver.name === cniDriver
