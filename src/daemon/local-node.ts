import { rm } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Agent } from '#agent/agent.ts'
import type {
  ContainerPlace,
  InitRequest,
  JoinRequest,
  LocalNode,
  LocalNodeInfo,
  PlaceRequest,
  RestoreRequest,
} from '#api/backend.ts'
import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Mutex } from '#lib/mutex.ts'
import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import { retry } from '#lib/retry.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Control } from '#manager/control/control.ts'
import { memberDataDir } from '#manager/membership/etcd/data-dir.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'
import type { NodeUsage } from '#model/usage.ts'
import { KeyFile } from '#security/key-file.ts'
import type { NodeKeys } from '#security/key-file.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import { resolveOwnAddresses, splitHostPort } from './addresses.ts'
import { Credentials } from './credentials.ts'
import { prepareJoin } from './joining.ts'
import { leaveRefusal, sayGoodbye } from './leaving.ts'
import type { ManagerRuntime, RuntimeParts } from './manager-runtime.ts'
import { movedState, withInterface } from './moved.ts'
import { startNodeAgent } from './node-agent.ts'
import type { NodeAgent } from './node-agent.ts'
import { NodeStateFile } from './node-state.ts'
import type { NodeState } from './node-state.ts'
import { giveBackPlace, takePlace } from './places.ts'
import type { Where } from './places.ts'
import { refusals } from './refusals.ts'

export interface LocalNodeOptions {
  readonly engine: Engine
  readonly dataDir: string
  readonly runDir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

const managing = () => import('./managing.ts')

const startTimeoutMs = 60_000
const roleChangeTimeoutMs = 120_000
/** Requests wait for a manager that comes up; without its peers it does not, and that is said then. */
const settlingMs = 5_000
/** A join that was admitted is one, also when no manager takes up the session for as long. */
const knownMs = 10_000

/** This host's part in a cluster, over its whole life: none, worker, manager, locked; and every way between them. */
export class LocalNodeService implements LocalNode, AsyncDisposable {
  readonly #options: LocalNodeOptions
  readonly #stateFile: NodeStateFile
  readonly #keyFile: KeyFile
  readonly #mutex = new Mutex()
  readonly #stop = new AbortController()
  #phase: LocalNodeInfo['state'] = 'inactive'
  #error = ''
  #state: NodeState | undefined
  #credentials: Credentials | undefined
  #runtime: ManagerRuntime | undefined
  #nodeAgent: NodeAgent | undefined
  #wantedRole: NodeRole | undefined
  /** Over when the manager of a restarted node has come up, or has taken too long. */
  #starting: Promise<void> = Promise.resolve()

  constructor(options: LocalNodeOptions) {
    this.#options = options
    this.#stateFile = new NodeStateFile(options.dataDir)
    this.#keyFile = new KeyFile(join(options.dataDir, 'keys.json'))
  }

  info(): LocalNodeInfo {
    const state = this.#state
    return {
      state: this.#phase,
      nodeId: state?.nodeId ?? '',
      nodeAddress: state === undefined ? '' : (splitHostPort(state.advertiseAddress, 0)?.host ?? ''),
      isManager: state?.role === 'manager' && this.#phase === 'active',
      isStale: this.#runtime?.manager.mirror.current === false,
      error: this.#error,
      remoteManagers: this.#agent?.managers ?? [],
    }
  }

  usage(): NodeUsage | undefined {
    return this.#agent?.usage
  }

  async settled(): Promise<void> {
    await this.#starting
    await this.#runtime?.manager.caughtUp()
  }

  control(): Control {
    if (this.#phase === 'locked') throw refusals.locked()
    if (this.#state === undefined || this.#phase === 'inactive') throw refusals.noSwarm()
    if (this.#runtime !== undefined) return this.#runtime.manager.control
    throw this.#state.role === 'manager' ? refusals.notReady() : refusals.worker()
  }

  /** Takes up what this host was before it stopped. */
  resume(): Promise<void> {
    return this.#mutex.run(async () => {
      this.#state = await this.#stateFile.read()
      if (this.#state === undefined) return
      try {
        const keys = await this.#keyFile.read()
        if (keys === undefined) throw new Error('the key file is missing: leave the swarm and join again')
        await this.#start(this.#state, keys)
      } catch (error) {
        if (isMureError(error, 'precondition') && error.details?.['locked'] === true) {
          this.#phase = 'locked'
          this.#options.logger.info('this manager is locked and waits for its unlock key')
          return
        }
        this.#fail(error)
      }
    })
  }

  init(request: InitRequest, wait: Wait): Promise<NodeId> {
    return this.#mutex.run(async () => {
      if (request.forceNewCluster && this.#state?.role === 'manager') return this.#forceNew(this.#state, wait)
      if (this.#state !== undefined) throw refusals.exists()
      const where = { request, ...resolveOwnAddresses(request, networkInterfaces()) }
      const { createCluster } = await managing()
      return this.#begin(() => createCluster(this.#options, this.#keyFile, where, wait))
    })
  }

  backup(): Promise<Readable> {
    return this.#mutex.run(async () => {
      this.control()
      if (this.#runtime === undefined || this.#state === undefined || this.#credentials === undefined)
        throw refusals.notReady()
      const { dataDir, clock } = this.#options
      const parts = { state: this.#state, credentials: this.#credentials, dataDir, clock }
      return (await managing()).backupCluster(this.#runtime, parts)
    })
  }

  restore(request: RestoreRequest, wait: Wait): Promise<NodeId> {
    return this.#mutex.run(async () => {
      if (this.#state !== undefined) throw refusals.exists()
      const where = { ...request, ...resolveOwnAddresses(request, networkInterfaces()) }
      const { restoreCluster } = await managing()
      return this.#begin(() => restoreCluster(this.#options, this.#keyFile, where, wait))
    })
  }

  async attach(request: PlaceRequest, wait: Wait): Promise<ContainerPlace | undefined> {
    const where = this.#whereToAsk()
    const agent = this.#agent
    if (where === undefined || agent === undefined || this.#phase !== 'active') return undefined
    return takePlace(where, { engine: this.#options.engine, agent }, request, wait)
  }

  placeOf(containerId: string, networkId: string): string | undefined {
    return this.#agent?.placeOf(containerId, networkId)
  }

  async detach(taskId: string): Promise<void> {
    const where = this.#whereToAsk()
    if (where !== undefined) await giveBackPlace(where, taskId)
  }

  join(request: JoinRequest, wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#state !== undefined) throw refusals.exists()
      const ask = prepareJoin(request, networkInterfaces())
      let isAdmitted = false
      this.#phase = 'pending'
      try {
        const { admission, state } = await ask(wait)
        await this.#keyFile.write(admission.keys)
        await this.#remember(state)
        this.#adopt(state, this.#newCredentials(state, admission.keys), undefined)
        await this.#startAgent(state, [{ nodeId: '' as NodeId, address: admission.address }])
        await this.#known()
        isAdmitted = true
        if (admission.role === 'manager') await this.#becomeManager(wait)
      } catch (error) {
        if (!isAdmitted) {
          await this.#forget()
          throw error
        }
        this.#options.logger.warn('this node is not a manager yet', { error: errorText(error) })
        this.#wantRole('manager')
        throw refusals.joinGoesOn()
      }
    })
  }

  /** The cluster knows this host by then, as ready: or it will soon, which is no reason to fail. */
  async #known(): Promise<void> {
    using wait = startWait({
      timeoutMs: knownMs,
      signal: this.#stop.signal,
      what: 'a manager to know this host',
    })
    await this.#agent?.known(wait).catch((error: unknown) => {
      this.#options.logger.warn('no manager has this host yet', { error: errorText(error) })
    })
  }

  /** The first manager of a cluster, made or restored; a host that is part of nothing if that fails. */
  async #begin(
    make: () => Promise<{ state: NodeState; credentials: Credentials; runtime: ManagerRuntime }>,
  ): Promise<NodeId> {
    this.#phase = 'pending'
    try {
      const { state, credentials, runtime } = await make()
      this.#adopt(state, credentials, runtime)
      await this.#remember(state)
      await this.#startAgent(state)
      await this.#known()
      return state.nodeId
    } catch (error) {
      await this.#forget()
      throw error
    }
  }

  leave(force: boolean, wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#state === undefined) throw refusals.notInSwarm()
      if (this.#phase === 'locked' && !force) throw refusals.locked()
      if (this.#runtime !== undefined && !force) throw leaveRefusal(this.#runtime.manager.control)
      await this.#agent?.removeTasks()
      await this.#stopAgent()
      if (this.#runtime !== undefined) await sayGoodbye(this.#runtime.manager, this.#options.logger, wait)
      await this.#forget()
    })
  }

  unlock(key: string, _wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#state === undefined) throw refusals.noSwarm()
      if (this.#phase !== 'locked') throw refusals.notLocked()
      let keys: NodeKeys | undefined
      try {
        keys = await this.#keyFile.read(parseUnlockKey(key))
      } catch (error) {
        if (isMureError(error, 'precondition', 'invalid')) throw refusals.invalidUnlockKey()
        throw error
      }
      if (keys !== undefined) await this.#start(this.#state, keys)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#mutex.run(() => this.#stopAll())
  }

  #adopt(state: NodeState, credentials: Credentials, runtime: ManagerRuntime | undefined): void {
    this.#state = state
    this.#credentials = credentials
    this.#runtime = runtime
    this.#error = ''
    this.#phase = 'active'
    runtime?.followLock(this.#options.logger)
  }

  #newCredentials(state: NodeState, keys: NodeKeys): Credentials {
    const { clock, logger } = this.#options
    return new Credentials({ file: this.#keyFile, keys, nodeId: state.nodeId, clock, logger })
  }

  #parts(credentials: Credentials): RuntimeParts {
    return { ...this.#options, credentials }
  }

  async #start(before: NodeState, keys: NodeKeys): Promise<void> {
    const moved = movedState(before, networkInterfaces())
    const state = moved ?? before
    if (moved !== undefined)
      this.#options.logger.info('this host has another address now', { address: moved.advertiseAddress })
    const credentials = this.#newCredentials(state, keys)
    this.#adopt(state, credentials, undefined)
    // The agent first: tasks are looked after whatever becomes of the manager.
    await this.#startAgent(state)
    const { peerUrl } = state
    if (state.role !== 'manager' || peerUrl === undefined) {
      await this.#remember(state)
      return
    }
    const parts = this.#parts(credentials)
    const starting = async () => {
      using wait = startWait({
        timeoutMs: startTimeoutMs,
        signal: this.#stop.signal,
        what: 'the store to come up',
      })
      const { startManagerRuntime, startMovedManager } = await managing()
      const manager = { ...state, peerUrl }
      const runtime =
        moved === undefined
          ? await startManagerRuntime(parts, manager, { type: 'restart' }, wait)
          : await startMovedManager(parts, manager, this.#otherManagers(state), wait)
      this.#adopt(state, credentials, runtime)
      // Not before: until the others know the new address, each start tells them again.
      await this.#remember(state)
      started.resolve()
    }
    // A manager without a quorum waits for its peers; the API answers meanwhile.
    const started = Promise.withResolvers<void>()
    this.#starting = Promise.race([started.promise, sleep(settlingMs, this.#stop.signal)]).catch(
      () => undefined,
    )
    this.#background(
      () => retry(this.#untilStopped('the manager to start'), { firstMs: 500, maxMs: 5_000 }, starting),
      'the manager did not start',
    )
  }

  #untilStopped(what: string): Wait {
    return startWait({ signal: this.#stop.signal, what })
  }

  async #startAgent(state: NodeState, managers: { nodeId: NodeId; address: string }[] = []): Promise<void> {
    const credentials = this.#credentials
    if (credentials === undefined) return
    this.#nodeAgent = await startNodeAgent(this.#options, {
      state,
      credentials,
      managers,
      renew: () => this.#renew(),
      callbacks: {
        roleWanted: (role) => {
          this.#wantRole(role)
        },
        trustChanged: (certificates, renew) => {
          this.#background(() => this.#takeTrust(certificates, renew), 'new roots were not taken yet')
        },
        release: (taskId) => this.detach(taskId),
        removed: () => {
          this.#fail(
            new Error('this node was removed from the swarm; use "docker swarm leave" and join again'),
          )
        },
        expired: () => {
          this.#background(() => this.#renew(), 'the certificate was not renewed yet')
        },
      },
    })
  }

  #background(work: () => Promise<void>, failure: string): void {
    work().catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.logger.warn(failure, { error: errorText(error) })
    })
  }

  #remember(state: NodeState): Promise<void> {
    return this.#stateFile.write(withInterface(state, networkInterfaces()))
  }

  #otherManagers(self: NodeState): string[] {
    const managers = this.#agent?.managers ?? []
    const others = managers.filter(
      ({ nodeId, address }) => nodeId !== self.nodeId && address !== self.advertiseAddress,
    )
    return shuffled(
      this.#options.random,
      others.map(({ address }) => address),
    )
  }

  #whereToAsk(): Where | undefined {
    const credentials = this.#credentials
    if (credentials === undefined) return undefined
    return { credentials, managers: this.#managerAddresses(), clock: this.#options.clock }
  }

  #managerAddresses(): string[] {
    return shuffled(this.#options.random, this.#agent?.managers.map((manager) => manager.address) ?? [])
  }

  async #renew(): Promise<void> {
    using wait = startWait({
      timeoutMs: startTimeoutMs,
      signal: this.#stop.signal,
      what: 'a new certificate',
    })
    await this.#credentials?.renew(this.#managerAddresses(), wait)
    this.#useIdentity()
  }

  #useIdentity(): void {
    const identity = this.#credentials?.identity
    if (identity !== undefined) this.#runtime?.manager.setIdentity(identity)
  }

  async #takeTrust(certificates: string, renew: boolean): Promise<void> {
    await this.#credentials?.set({ trust: certificates })
    this.#useIdentity()
    if (!renew) return
    const backoff = { firstMs: 500, maxMs: 15_000 }
    await retry(this.#untilStopped('a certificate of the new root'), backoff, () => this.#renew())
  }

  /** Tries until it has the role, or another is wanted. */
  #wantRole(role: NodeRole): void {
    this.#wantedRole = role
    const work = async () => {
      if (this.#wantedRole === role) await this.#takeRole(role)
    }
    this.#background(
      () => retry(this.#untilStopped(`the role of a ${role}`), { firstMs: 500, maxMs: 15_000 }, work),
      'the role was not taken',
    )
  }

  #takeRole(role: NodeRole): Promise<void> {
    return this.#mutex.run(async () => {
      const hasRole =
        this.#state?.role === role && (role === 'manager' || this.#credentials?.identity.role === role)
      if (this.#state === undefined || hasRole) return
      using wait = startWait({
        timeoutMs: roleChangeTimeoutMs,
        signal: this.#stop.signal,
        what: `the role of a ${role}`,
      })
      if (role === 'manager') await this.#becomeManager(wait)
      else await this.#becomeWorker(wait)
    })
  }

  async #becomeManager(wait: Wait): Promise<void> {
    const state = this.#state
    const credentials = this.#credentials
    if (state === undefined || credentials === undefined) return
    if (credentials.identity.role !== 'manager') await credentials.renew(this.#managerAddresses(), wait)
    const { startPromoted } = await managing()
    const remember = (next: NodeState) => this.#remember(next)
    const node = { state, managers: this.#managerAddresses(), remember }
    const promoted = await startPromoted(this.#parts(credentials), node, wait)
    this.#adopt(promoted.state, credentials, promoted.runtime)
    this.#agent?.reconnect()
    this.#options.logger.info('this node is a manager now')
  }

  async #becomeWorker(wait: Wait): Promise<void> {
    const credentials = this.#credentials
    if (this.#state === undefined || credentials === undefined) return
    await this.#runtime?.[Symbol.asyncDispose]()
    this.#runtime = undefined
    const { peerUrl: _, ...state } = { ...this.#state, role: 'worker' as const }
    this.#state = state
    await this.#remember(state)
    await rm(memberDataDir(this.#options.dataDir), { recursive: true, force: true })
    await credentials.renew(this.#managerAddresses(), wait)
    await credentials.lock(undefined)
    await credentials.forgetManagerKeys()
    this.#agent?.reconnect()
    this.#options.logger.info('this node is a worker now')
  }

  async #forceNew(state: NodeState, wait: Wait): Promise<NodeId> {
    const credentials = this.#credentials
    if (credentials === undefined) throw refusals.locked()
    await this.#runtime?.[Symbol.asyncDispose]()
    this.#runtime = undefined
    const { forceNewCluster } = await managing()
    const runtime = await forceNewCluster(this.#parts(credentials), state, wait)
    this.#adopt(state, credentials, runtime)
    this.#agent?.reconnect()
    return state.nodeId
  }

  get #agent(): Agent | undefined {
    return this.#nodeAgent?.agent
  }

  async #stopAgent(): Promise<void> {
    await this.#nodeAgent?.[Symbol.asyncDispose]()
    this.#nodeAgent = undefined
  }

  async #stopAll(): Promise<void> {
    await this.#stopAgent()
    await this.#runtime?.[Symbol.asyncDispose]()
    this.#runtime = undefined
  }

  /** Back to a host that is part of nothing. */
  async #forget(): Promise<void> {
    await this.#stopAll()
    const { dataDir } = this.#options
    await rm(join(dataDir, 'managers.json'), { force: true })
    await rm(memberDataDir(dataDir), { recursive: true, force: true })
    await this.#stateFile.remove()
    await this.#keyFile.forget()
    this.#state = undefined
    this.#wantedRole = undefined
    this.#credentials = undefined
    this.#phase = 'inactive'
    this.#error = ''
  }

  #fail(error: unknown): void {
    this.#phase = 'error'
    this.#error = errorText(error)
    this.#options.logger.error('this node cannot take its part in the swarm', { error })
  }
}
