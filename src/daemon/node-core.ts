import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Agent } from '#agent/agent.ts'
import type { LocalNodeInfo } from '#api/backend.ts'
import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Observed } from '#lib/observed.ts'
import type { Random } from '#lib/random.ts'
import { shuffled } from '#lib/random.ts'
import { retry } from '#lib/retry.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Mirror } from '#manager/control/control.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'
import { KeyFile } from '#security/key-file.ts'
import type { NodeKeys } from '#security/key-file.ts'
import { splitHostPort } from './addresses.ts'
import { Credentials } from './credentials.ts'
import type { ManagerRuntime, RuntimeParts } from './manager-runtime.ts'
import { removeLeftBehind, removeSnapshots } from './left-behind.ts'
import { withInterface } from './moved.ts'
import { startNodeAgent } from './node-agent.ts'
import type { NodeAgent } from './node-agent.ts'
import { NodeStateFile } from './node-state.ts'
import type { NodeState } from './node-state.ts'

export interface LocalNodeOptions {
  readonly engine: Engine
  readonly dataDir: string
  readonly runDir: string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What the cluster asks of this host by way of its agent, beyond running tasks. */
export interface AgentHooks {
  roleWanted(role: NodeRole): void
  /** A container that had this task's place in a network is gone. */
  release(taskId: string): Promise<void>
}

const renewalTimeoutMs = 60_000
const startBackoff = { firstMs: 500, maxMs: 5_000 }

/**
 * What this host is in a cluster right now: its state and keys on disk, the agent and the manager that run. Ways from
 * one standing to another are not its business (`local-node.ts`, `roles.ts`).
 */
export class NodeCore {
  readonly options: LocalNodeOptions
  readonly stateFile: NodeStateFile
  readonly keyFile: KeyFile
  readonly stop = new AbortController()
  readonly #hooks: AgentHooks
  #phase: LocalNodeInfo['state'] = 'inactive'
  #error = ''
  /** What the manager's start waits for, where it takes long. */
  #startWaitsFor = ''
  /** A manager on its way up, which may take as long as its peers stay away. */
  #comingUp: { readonly stop: AbortController; readonly done: Promise<void> } | undefined
  #state: NodeState | undefined
  #credentials: Credentials | undefined
  readonly #runtime = new Observed<ManagerRuntime | undefined>(undefined)
  #nodeAgent: NodeAgent | undefined

  constructor(options: LocalNodeOptions, hooks: AgentHooks) {
    this.options = options
    this.stateFile = new NodeStateFile(options.dataDir)
    this.keyFile = new KeyFile(join(options.dataDir, 'keys.json'))
    this.#hooks = hooks
  }

  get phase(): LocalNodeInfo['state'] {
    return this.#phase
  }

  /** Undefined: part of nothing. */
  get state(): NodeState | undefined {
    return this.#state
  }

  get credentials(): Credentials | undefined {
    return this.#credentials
  }

  get runtime(): ManagerRuntime | undefined {
    return this.#runtime.value
  }

  /** Tells what this host's manager knows of the cluster, at once and whenever there is another, or none. */
  followView(listener: (view: Mirror | undefined) => void): Disposable {
    return this.#runtime.follow((runtime) => {
      listener(runtime?.manager.control.view)
    })
  }

  get agent(): Agent | undefined {
    return this.#nodeAgent?.agent
  }

  info(): LocalNodeInfo {
    const state = this.#state
    return {
      state: this.#phase,
      nodeId: state?.nodeId ?? '',
      nodeAddress: state === undefined ? '' : (splitHostPort(state.advertiseAddress, 0)?.host ?? ''),
      isManager: state?.role === 'manager' && this.#phase === 'active',
      isStale: this.runtime?.manager.mirror.current === false,
      error: this.#error === '' ? this.startDelay : this.#error,
      remoteManagers: this.agent?.managers ?? [],
    }
  }

  /** What an earlier process of this host left; nothing is started. */
  async recall(): Promise<NodeState | undefined> {
    await removeSnapshots(this.options.dataDir)
    this.#state = await this.stateFile.read()
    return this.#state
  }

  /** On the way into a cluster: nothing is decided yet. What is left of one before would be taken for its own. */
  async pend(): Promise<void> {
    this.#phase = 'pending'
    await this.#removeLeftBehind()
  }

  /** Its keys are sealed: until somebody gives the unlock key, no more than its state is known. */
  lock(): void {
    this.#phase = 'locked'
    this.options.logger.info('this manager is locked and waits for its unlock key')
  }

  /** Why this host's manager is still not up; empty when it is, or has hardly begun. */
  get startDelay(): string {
    const isUp = this.runtime !== undefined || this.#startWaitsFor === ''
    return isUp || this.#state?.role !== 'manager'
      ? ''
      : `this manager is not up yet: it waits for ${this.#startWaitsFor}`
  }

  /** @param what in words that follow "waits for" */
  startWaits(what: string): void {
    this.#startWaitsFor = what
  }

  fail(error: unknown): void {
    this.#phase = 'error'
    this.#error = errorText(error)
    this.options.logger.error('this node cannot take its part in the swarm', { error })
  }

  adopt(state: NodeState, credentials: Credentials, runtime: ManagerRuntime | undefined): void {
    this.#state = state
    this.#credentials = credentials
    this.#runtime.value = runtime
    this.#startWaitsFor = ''
    this.#error = ''
    this.#phase = 'active'
    runtime?.followLock(this.options.logger)
  }

  /** The same node, with something of it changed. */
  async become(state: NodeState): Promise<void> {
    this.#state = state
    await this.remember(state)
  }

  remember(state: NodeState): Promise<void> {
    return this.stateFile.write(withInterface(state, networkInterfaces()))
  }

  newCredentials(state: NodeState, keys: NodeKeys): Credentials {
    const { clock, logger } = this.options
    return new Credentials({ file: this.keyFile, keys, nodeId: state.nodeId, clock, logger })
  }

  parts(credentials: Credentials): RuntimeParts {
    return { ...this.options, credentials }
  }

  async startAgent(state: NodeState, managers: { nodeId: NodeId; address: string }[] = []): Promise<void> {
    const credentials = this.#credentials
    if (credentials === undefined) return
    this.#nodeAgent = await startNodeAgent(this.options, {
      state,
      credentials,
      managers,
      renew: () => this.#renew(),
      callbacks: {
        roleWanted: (role) => {
          this.#hooks.roleWanted(role)
        },
        trustChanged: (certificates, renew) => {
          this.background(() => this.#takeTrust(certificates, renew), 'new roots were not taken yet')
        },
        release: (taskId) => this.#hooks.release(taskId),
        removed: () => {
          this.fail(
            new Error('this node was removed from the swarm; use "docker swarm leave" and join again'),
          )
        },
        expired: () => {
          this.background(() => this.#renew(), 'the certificate was not renewed yet')
        },
      },
    })
  }

  async stopAgent(): Promise<void> {
    await this.#nodeAgent?.[Symbol.asyncDispose]()
    this.#nodeAgent = undefined
  }

  /** The manager comes up in its own time, attempt after attempt, until it is up or `stopManager` is called. */
  bringUpManager(attempt: (wait: Wait) => Promise<void>): void {
    const stop = new AbortController()
    const signal = AbortSignal.any([this.stop.signal, stop.signal])
    const work = async () => {
      using all = startWait({ signal, what: 'the manager to start' })
      await retry(all, startBackoff, () => attempt(all))
    }
    const done = work().catch((error: unknown) => {
      if (!signal.aborted) this.options.logger.warn('the manager did not start', { error: errorText(error) })
    })
    this.#comingUp = { stop, done }
  }

  /** Also one that is on its way up: whatever of it runs would be in the way of what comes after it. */
  async stopManager(): Promise<void> {
    this.#comingUp?.stop.abort()
    await this.#comingUp?.done
    this.#comingUp = undefined
    await this.runtime?.[Symbol.asyncDispose]()
    this.#runtime.value = undefined
  }

  async stopAll(): Promise<void> {
    await this.stopAgent()
    await this.stopManager()
  }

  /** Back to a host that is part of nothing: from the first step on, wherever it is cut off. */
  async forget(): Promise<void> {
    await this.stopAll()
    await this.stateFile.remove()
    await this.#removeLeftBehind()
    this.#state = undefined
    this.#credentials = undefined
    this.#phase = 'inactive'
    this.#error = ''
  }

  async #removeLeftBehind(): Promise<void> {
    await removeLeftBehind(this.options.dataDir)
    await this.keyFile.forget()
  }

  /** In random order, so that no manager is everybody's first. */
  managerAddresses(): string[] {
    return this.#shuffled(this.agent?.managers ?? [])
  }

  otherManagers(self: NodeState): string[] {
    const managers = this.agent?.managers ?? []
    return this.#shuffled(
      managers.filter(({ nodeId, address }) => nodeId !== self.nodeId && address !== self.advertiseAddress),
    )
  }

  #shuffled(managers: readonly { readonly address: string }[]): string[] {
    return shuffled(
      this.options.random,
      managers.map(({ address }) => address),
    )
  }

  /** Goes on by itself; a failure is told in the log alone. */
  background(work: () => Promise<void>, failure: string): void {
    work().catch((error: unknown) => {
      if (!this.stop.signal.aborted) this.options.logger.warn(failure, { error: errorText(error) })
    })
  }

  untilStopped(what: string): Wait {
    return startWait({ signal: this.stop.signal, what })
  }

  async #renew(): Promise<void> {
    using wait = startWait({
      timeoutMs: renewalTimeoutMs,
      signal: this.stop.signal,
      what: 'a new certificate',
    })
    await this.#credentials?.renew(this.managerAddresses(), wait)
    this.#useIdentity()
  }

  #useIdentity(): void {
    const identity = this.#credentials?.identity
    if (identity !== undefined) this.runtime?.manager.setIdentity(identity)
  }

  async #takeTrust(certificates: string, renew: boolean): Promise<void> {
    await this.#credentials?.set({ trust: certificates })
    this.#useIdentity()
    if (!renew) return
    const backoff = { firstMs: 500, maxMs: 15_000 }
    await retry(this.untilStopped('a certificate of the new root'), backoff, () => this.#renew())
  }
}
