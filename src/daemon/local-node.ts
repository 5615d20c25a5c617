import { networkInterfaces } from 'node:os'
import type { Readable } from 'node:stream'
import type {
  ContainerPlace,
  InitRequest,
  JoinRequest,
  LocalNode,
  LocalNodeInfo,
  PlaceRequest,
  RestoreRequest,
} from '#api/backend.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import { Mutex } from '#lib/mutex.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Control, Mirror } from '#manager/control/control.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeUsage } from '#model/usage.ts'
import type { NodeKeys } from '#security/key-file.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import { resolveOwnAddresses } from './addresses.ts'
import type { Credentials } from './credentials.ts'
import { prepareJoin } from './joining.ts'
import { managing } from './lazy-managing.ts'
import { leaveRefusal, sayGoodbye } from './leaving.ts'
import type { ManagerRuntime } from './manager-runtime.ts'
import { movedState } from './moved.ts'
import { NodeCore } from './node-core.ts'
import type { LocalNodeOptions } from './node-core.ts'
import type { NodeState } from './node-state.ts'
import { giveBackPlace, takePlace } from './places.ts'
import type { Where } from './places.ts'
import { refusals } from './refusals.ts'
import { isShuttingDown } from './shutdown.ts'
import { Roles } from './roles.ts'

const startTimeoutMs = 60_000
/** Requests wait for a manager that comes up; without its peers it does not, and that is said then. */
const settlingMs = 5_000
/** A join that was admitted is one, also when no manager takes up the session for as long. */
const knownMs = 10_000

const farewellMs = 1_000
/** A daemon that stops is given as long to be back before its tasks are made anew elsewhere. */
const backWithinMs = 10_000

/** This host's part in a cluster, over its whole life: none, worker, manager, locked; and every way between them. */
export class LocalNodeService implements LocalNode, AsyncDisposable {
  readonly #core: NodeCore
  readonly #roles: Roles
  readonly #mutex = new Mutex()
  /** Over when the manager of a restarted node has come up, or has taken too long. */
  #starting: Promise<void> = Promise.resolve()

  constructor(options: LocalNodeOptions) {
    this.#core = new NodeCore(options, {
      roleWanted: (role) => {
        this.#roles.want(role)
      },
      release: (taskId) => this.detach(taskId),
    })
    this.#roles = new Roles(this.#core, this.#mutex)
  }

  info(): LocalNodeInfo {
    return this.#core.info()
  }

  usage(): NodeUsage | undefined {
    return this.#core.agent?.usage
  }

  async settled(): Promise<void> {
    await this.#starting
    await this.#core.runtime?.manager.caughtUp()
  }

  control(): Control {
    if (this.#core.phase === 'locked') throw refusals.locked()
    if (this.#core.state === undefined || this.#core.phase === 'inactive') throw refusals.noSwarm()
    if (this.#core.runtime !== undefined) return this.#core.runtime.manager.control
    throw this.#core.state.role === 'manager' ? refusals.notReady(this.#core.startDelay) : refusals.worker()
  }

  followView(listener: (view: Mirror | undefined) => void): Disposable {
    return this.#core.followView(listener)
  }

  /** Takes up what this host was before it stopped. */
  resume(): Promise<void> {
    return this.#mutex.run(async () => {
      const state = await this.#core.recall()
      if (state === undefined) return
      try {
        const keys = await this.#core.keyFile.read()
        if (keys === undefined) throw new Error('the key file is missing: leave the swarm and join again')
        await this.#start(state, keys)
      } catch (error) {
        if (isMureError(error, 'precondition') && error.details?.['locked'] === true) {
          this.#core.lock()
          return
        }
        this.#core.fail(error)
      }
    })
  }

  init(request: InitRequest, wait: Wait): Promise<NodeId> {
    return this.#mutex.run(async () => {
      if (request.forceNewCluster && this.#core.state?.role === 'manager')
        return this.#forceNew(this.#core.state, wait)
      if (this.#core.state !== undefined) throw refusals.exists()
      const where = { request, ...resolveOwnAddresses(request, networkInterfaces()) }
      const { createCluster } = await managing()
      return this.#begin(() => createCluster(this.#core.options, this.#core.keyFile, where, wait))
    })
  }

  backup(): Promise<Readable> {
    return this.#mutex.run(async () => {
      this.control()
      if (
        this.#core.runtime === undefined ||
        this.#core.state === undefined ||
        this.#core.credentials === undefined
      )
        throw refusals.notReady()
      const { dataDir, clock } = this.#core.options
      const parts = { state: this.#core.state, credentials: this.#core.credentials, dataDir, clock }
      return (await managing()).backupCluster(this.#core.runtime, parts)
    })
  }

  restore(request: RestoreRequest, wait: Wait): Promise<NodeId> {
    return this.#mutex.run(async () => {
      if (this.#core.state !== undefined) throw refusals.exists()
      const where = { ...request, ...resolveOwnAddresses(request, networkInterfaces()) }
      const { restoreCluster } = await managing()
      return this.#begin(() => restoreCluster(this.#core.options, this.#core.keyFile, where, wait))
    })
  }

  async attach(request: PlaceRequest, wait: Wait): Promise<ContainerPlace | undefined> {
    const where = this.#whereToAsk()
    const agent = this.#core.agent
    if (where === undefined || agent === undefined || this.#core.phase !== 'active') return undefined
    return takePlace(where, { engine: this.#core.options.engine, agent }, request, wait)
  }

  placeOf(containerId: string, networkId: string): string | undefined {
    return this.#core.agent?.placeOf(containerId, networkId)
  }

  async detach(taskId: string): Promise<void> {
    const where = this.#whereToAsk()
    if (where !== undefined) await giveBackPlace(where, taskId)
  }

  join(request: JoinRequest, wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#core.state !== undefined) throw refusals.exists()
      const ask = prepareJoin(request, networkInterfaces())
      let isAdmitted = false
      await this.#core.pend()
      try {
        const { admission, state } = await ask(wait)
        await this.#core.keyFile.write(admission.keys)
        await this.#core.remember(state)
        this.#core.adopt(state, this.#core.newCredentials(state, admission.keys), undefined)
        await this.#core.startAgent(state, [{ nodeId: '' as NodeId, address: admission.address }])
        await this.#known()
        isAdmitted = true
        if (admission.role === 'manager') await this.#roles.becomeManager(wait)
      } catch (error) {
        if (!isAdmitted) {
          await this.#forget()
          throw error
        }
        this.#core.options.logger.warn('this node is not a manager yet', { error: errorText(error) })
        this.#roles.want('manager')
        throw refusals.joinGoesOn()
      }
    })
  }

  /** The cluster knows this host by then, as ready: or it will soon, which is no reason to fail. */
  async #known(): Promise<void> {
    using wait = startWait({
      timeoutMs: knownMs,
      signal: this.#core.stop.signal,
      what: 'a manager to know this host',
    })
    await this.#core.agent?.known(wait).catch((error: unknown) => {
      this.#core.options.logger.warn('no manager has this host yet', { error: errorText(error) })
    })
  }

  /** The first manager of a cluster, made or restored; a host that is part of nothing if that fails. */
  async #begin(
    make: () => Promise<{ state: NodeState; credentials: Credentials; runtime: ManagerRuntime }>,
  ): Promise<NodeId> {
    await this.#core.pend()
    try {
      const { state, credentials, runtime } = await make()
      this.#core.adopt(state, credentials, runtime)
      await this.#core.remember(state)
      await this.#core.startAgent(state)
      await this.#known()
      return state.nodeId
    } catch (error) {
      await this.#forget()
      throw error
    }
  }

  leave(force: boolean, wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#core.state === undefined) throw refusals.notInSwarm()
      if (this.#core.phase === 'locked' && !force) throw refusals.leaveLocked()
      if (this.#core.runtime !== undefined && !force) throw leaveRefusal(this.#core.runtime.manager.control)
      await this.#core.agent?.removeTasks()
      await this.#core.stopAgent()
      if (this.#core.runtime !== undefined)
        await sayGoodbye(this.#core.runtime.manager, this.#core.options.logger, wait)
      await this.#forget()
    })
  }

  unlock(key: string, _wait: Wait): Promise<void> {
    return this.#mutex.run(async () => {
      if (this.#core.state === undefined) throw refusals.noSwarm()
      if (this.#core.phase !== 'locked') throw refusals.notLocked()
      let keys: NodeKeys | undefined
      try {
        keys = await this.#core.keyFile.read(parseUnlockKey(key))
      } catch (error) {
        if (isMureError(error, 'precondition', 'invalid')) throw refusals.invalidUnlockKey()
        throw error
      }
      if (keys !== undefined) await this.#start(this.#core.state, keys)
    })
  }

  /**
   * Stops for a moment, as for an upgrade: the cluster hears that what runs here runs on. Where the machine itself goes
   * down nothing is said, so that its tasks are soon elsewhere.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#core.phase === 'active' && !(await isShuttingDown())) await this.#sayFarewell()
    this.#core.stop.abort()
    await this.#mutex.run(() => this.#core.stopAll())
  }

  async #sayFarewell(): Promise<void> {
    try {
      using wait = startWait({ timeoutMs: farewellMs, what: 'a manager to hear that this daemon stops' })
      await this.#core.agent?.farewell(backWithinMs, wait)
      await this.#core.runtime?.manager.reportBeats(wait.signal)
    } catch (error) {
      this.#core.options.logger.debug('no manager has heard that this daemon stops', { error })
    }
  }

  async #start(before: NodeState, keys: NodeKeys): Promise<void> {
    const moved = movedState(before, networkInterfaces())
    const state = moved ?? before
    if (moved !== undefined)
      this.#core.options.logger.info('this host has another address now', { address: moved.advertiseAddress })
    const credentials = this.#core.newCredentials(state, keys)
    this.#core.adopt(state, credentials, undefined)
    // The agent first: tasks are looked after whatever becomes of the manager.
    await this.#core.startAgent(state)
    const { peerUrl } = state
    if (state.role !== 'manager' || peerUrl === undefined) await this.#core.remember(state)
    else this.#bringUp({ ...state, peerUrl }, credentials, moved !== undefined)
  }

  /** A manager without a quorum waits for its peers; the API answers meanwhile. */
  #bringUp(
    state: NodeState & { readonly peerUrl: string },
    credentials: Credentials,
    hasMoved: boolean,
  ): void {
    const parts = this.#core.parts(credentials)
    const { clock } = this.#core.options
    const begunMs = clock.monotonicMs()
    const attempt = async ({ signal }: Wait) => {
      using wait = startWait({
        timeoutMs: startTimeoutMs,
        signal,
        what: 'the store to come up',
        onNote: (what) => {
          if (clock.monotonicMs() - begunMs > settlingMs) this.#core.startWaits(what)
        },
      })
      const { startManagerRuntime, startMovedManager } = await managing()
      const runtime = hasMoved
        ? await startMovedManager(parts, state, this.#core.otherManagers(state), wait)
        : await startManagerRuntime(parts, state, { type: 'restart' }, wait)
      // Left, demoted or begun anew alone meanwhile: this manager is not to come up any more.
      if (signal.aborted) {
        await runtime[Symbol.asyncDispose]()
        return
      }
      this.#core.adopt(state, credentials, runtime)
      // Not before: until the others know the new address, each start tells them again.
      await this.#core.remember(state)
      started.resolve()
    }
    const started = Promise.withResolvers<void>()
    this.#starting = Promise.race([started.promise, sleep(settlingMs, this.#core.stop.signal)]).catch(
      () => undefined,
    )
    this.#core.bringUpManager(attempt)
  }

  #whereToAsk(): Where | undefined {
    const credentials = this.#core.credentials
    if (credentials === undefined) return undefined
    return { credentials, managers: this.#core.managerAddresses(), clock: this.#core.options.clock }
  }

  async #forceNew(state: NodeState, wait: Wait): Promise<NodeId> {
    const credentials = this.#core.credentials
    if (credentials === undefined) throw refusals.locked()
    await this.#core.stopManager()
    const { forceNewCluster } = await managing()
    try {
      const runtime = await forceNewCluster(this.#core.parts(credentials), state, wait)
      this.#core.adopt(state, credentials, runtime)
    } catch (error) {
      const { peerUrl } = state
      if (peerUrl !== undefined) this.#bringUp({ ...state, peerUrl }, credentials, false)
      throw error
    }
    this.#core.agent?.reconnect()
    return state.nodeId
  }

  #forget(): Promise<void> {
    this.#roles.wantNone()
    return this.#core.forget()
  }
}
