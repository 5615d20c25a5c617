import type { EngineEvent } from '#engine/types.ts'
import type { Instant } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import { backoffMs } from '#lib/retry.ts'
import { compareStates, isRunnable, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import { Doorbell } from './doorbell.ts'
import { isRefusal } from './engine-errors.ts'
import type { Host } from './host.ts'
import type { ObservedContainer } from './observed.ts'
import { asWanted, lostContainer, outcomeOf, refused } from './outcome.ts'
import type { Outcome } from './outcome.ts'
import { nextStep } from './step.ts'
import type { Action, ContainerPhase, Step } from './step.ts'
import { TaskContainer } from './task-container.ts'

const engineBackoff = { firstMs: 200, maxMs: 5_000 }

/**
 * How long a container that was stopped by hand may take to come back. `docker restart` has 0.2 to 0.6 s between the end
 * and the new start on a host that is not busy (measured), and the engine does not say beforehand that it is a restart.
 */
const returnMs = 2_000

/** A host that does not say that it has taken the task out of service holds its stop up no longer. */
const withdrawalMs = 3_000

/** The operation after which there is more to be done at once. */
const continues: ReadonlySet<Action> = new Set([
  'prepare',
  'start',
  'refresh',
  'stop',
  'end',
  'conclude',
  'lose',
  'delete',
])

/**
 * Brings one task's container to what is wanted of it, one operation at a time (`step.ts`), and reports each state
 * once. The engine is the memory: after a restart the container tells where the task was. An engine that does not
 * answer is asked again; only what it says for certain ends a task.
 */
export class TaskRunner {
  readonly #host: Host
  readonly #news = new Doorbell()
  readonly #running: Promise<void>
  #task: Task
  #status: TaskStatus
  #container: TaskContainer | undefined
  #phase: ContainerPhase | undefined
  /** What an operation has just returned, so that nobody need ask for it. */
  #seen: ObservedContainer | undefined
  /** Ends what may be given up: getting the image. */
  #preparing: AbortController | undefined
  readonly #closed = new AbortController()
  #isGone = false
  #isStopping = false
  /** Signals of ours that the engine has not told of yet. */
  #ownSignals = 0
  #startAt: number
  /** Infinite from a signal by hand until the end that it causes. */
  #maybeBackUntil = 0
  #mayStopFrom = 0

  /** `ended`: how the task ended, where this was not told to any manager yet. */
  constructor(host: Host, task: Task, ended: TaskStatus | undefined) {
    this.#host = host
    this.#task = task
    this.#status = later(task.status, ended)
    this.#startAt = this.#startOf(task)
    this.#running = this.#run()
  }

  get status(): TaskStatus {
    return this.#status
  }

  /** What the container was when it was last looked at; undefined before the first look. */
  get phase(): ContainerPhase | undefined {
    return this.#phase
  }

  /** The same task as a manager has it now. What is wanted of a task only moves forward too. */
  update(task: Task): void {
    const startAt = this.#startOf(task)
    // Told again, it begins no later.
    this.#startAt = task.startAfter === this.#task.startAfter ? Math.min(this.#startAt, startAt) : startAt
    const isToStop = isRunnable(this.#task.desiredState) && !isRunnable(task.desiredState)
    if (isToStop && task.attachments.length > 0) this.#mayStopFrom = this.#now() + withdrawalMs
    const isBehind = compareStates(task.desiredState, this.#task.desiredState) < 0
    this.#task = isBehind ? { ...task, desiredState: this.#task.desiredState } : task
    this.#status = later(this.#status, task.status)
    this.#isGone = false
    if (!isRunnable(this.#task.desiredState) || isTerminal(this.#status.state)) this.#preparing?.abort()
    this.#news.ring()
  }

  /** No host sends anything new to it any more. */
  withdrawn(): void {
    this.#mayStopFrom = 0
    this.#news.ring()
  }

  /** The task has left the node's assignments: its container goes too. */
  discard(): void {
    this.#isGone = true
    this.#preparing?.abort()
    this.#news.ring()
  }

  /** Something may have happened to the container. */
  look(): void {
    this.#news.ring()
  }

  /** Something happened to the container. */
  hear(event: EngineEvent): void {
    const isOwn = event.Action === 'kill' && this.#ownSignals > 0
    if (isOwn) this.#ownSignals -= 1
    const isByHand = event.Action === 'kill' && !this.#isStopping && !isOwn
    // What `docker stop` and `docker restart` begin with. After a plain `docker kill` nothing comes back.
    if (isByHand && event.Actor.Attributes['signal'] !== sigkill)
      this.#maybeBackUntil = Number.POSITIVE_INFINITY
    if (event.Action === 'start') this.#maybeBackUntil = 0
    if (changesPhase.test(event.Action)) this.#news.ring()
  }

  /** Stops looking after the task; its container stays as it is. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.#preparing?.abort()
    this.#news.ring()
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed
    let failures = 0
    while (!signal.aborted) {
      this.#news.clear()
      let waitMs: number | undefined
      try {
        const { action, wakeAt } = await this.#turn()
        failures = 0
        if (action === 'forget' && this.#isGone) {
          this.#host.forget(this.#task.meta.id)
          return
        }
        if (continues.has(action)) continue
        if (wakeAt !== undefined && Number.isFinite(wakeAt)) waitMs = wakeAt - this.#now()
      } catch (error) {
        if (signal.aborted) return
        if (isMureError(error, 'cancelled')) continue
        this.#host.logger.warn('a task waits for the engine', { task: this.#task.meta.id, error })
        waitMs = backoffMs(engineBackoff, failures++)
      }
      await this.#news.rung(waitMs)
    }
  }

  /** Looks, decides, acts. */
  async #turn(): Promise<Step> {
    this.#container ??= await this.#findContainer()
    const observed = this.#seen ?? (await this.#container.inspect())
    this.#seen = undefined
    this.#phase = observed?.phase ?? 'absent'
    if (this.#phase === 'exited' && this.#maybeBackUntil === Number.POSITIVE_INFINITY)
      this.#maybeBackUntil = this.#now() + returnMs
    const step = nextStep({
      desired: this.#task.desiredState,
      isGone: this.#isGone,
      reported: this.#status.state,
      container: this.#phase,
      ...(observed?.status.health === undefined ? {} : { health: observed.status.health }),
      now: this.#now(),
      startAt: this.#startAt,
      maybeBackUntil: this.#maybeBackUntil,
      mayStopFrom: this.#mayStopFrom,
      isRefreshDue: this.#isRefreshDue(),
    })
    await this.#perform(step.action, this.#container, observed)
    return step
  }

  async #findContainer(): Promise<TaskContainer> {
    const id = await this.#host.containerOf(this.#task.meta.id, this.#closed.signal)
    return new TaskContainer(this.#host, this.#task, id)
  }

  async #perform(
    action: Action,
    container: TaskContainer,
    observed: ObservedContainer | undefined,
  ): Promise<void> {
    switch (action) {
      case 'prepare':
        await this.#orRefused(
          () => this.#prepare(container),
          (text) => text,
        )
        return
      case 'hold':
        this.#advance('ready', 'prepared', observed)
        return
      case 'start':
        this.#advance('starting', 'starting', observed)
        await this.#orRefused(
          () => container.start(),
          (text) => `starting container failed: ${text}`,
        )
        return
      case 'refresh':
        await this.#refresh(container, observed)
        return
      case 'await-health':
        this.#advance('starting', 'starting', observed)
        return
      case 'run':
        this.#advance('running', 'started', observed)
        return
      case 'stop':
        await this.#stop(container)
        return
      case 'conclude':
        if (observed !== undefined) this.#end(outcomeOf(observed), observed)
        return
      case 'lose':
        this.#end(lostContainer, undefined)
        return
      case 'end':
        this.#end(asWanted, observed)
        return
      case 'delete':
        await container.remove()
        return
      case 'await-return':
      case 'await-withdrawal':
      case 'forget':
      case 'rest':
        return
    }
  }

  async #prepare(container: TaskContainer): Promise<void> {
    this.#advance('accepted', 'accepted')
    this.#advance('preparing', 'preparing')
    this.#preparing = new AbortController()
    try {
      this.#seen = await container.prepare(this.#preparing.signal)
      this.#advance('ready', 'prepared', this.#seen)
    } finally {
      this.#preparing = undefined
    }
  }

  #isRefreshDue(): boolean {
    return (this.#task.refresh?.generation ?? 0) > (this.#status.files?.generation ?? 0)
  }

  /** New files, then the signal, if its service wants one. A container that does not run needs none. */
  async #refresh(container: TaskContainer, observed: ObservedContainer | undefined): Promise<void> {
    const { refresh } = this.#task
    if (refresh === undefined) return
    let error: string | undefined
    try {
      await this.#host.files.rewrite(this.#task, this.#host.node())
      if (refresh.signal !== undefined && observed?.phase === 'running') {
        this.#ownSignals += 1
        await container.signal(refresh.signal)
      }
    } catch (failure) {
      if (this.#isUnwanted() || !isRefusal(failure)) throw failure
      error = errorText(failure)
    }
    const files = {
      generation: refresh.generation,
      at: this.#wallTime(),
      ...(error === undefined ? {} : { error }),
    }
    this.#report({ ...this.#status, files })
  }

  async #stop(container: TaskContainer): Promise<void> {
    this.#isStopping = true
    try {
      await container.stop(this.#closed.signal)
    } finally {
      this.#isStopping = false
    }
  }

  /** Ends the task where the engine refuses it for good; what may pass is thrown on. */
  async #orRefused(work: () => Promise<void>, words: (text: string) => string): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (this.#isUnwanted() || !isRefusal(error)) throw error
      const hasBegun = compareStates(this.#status.state, 'starting') >= 0
      this.#end(refused(hasBegun, this.#status.message, words(errorText(error))), undefined)
    }
  }

  #isUnwanted(): boolean {
    return this.#isGone || !isRunnable(this.#task.desiredState) || isTerminal(this.#status.state)
  }

  #now(): number {
    return this.#host.clock.monotonicMs()
  }

  /** Both times are the manager's, so that a clock that is wrong here delays nothing. */
  #startOf(task: Task): number {
    if (task.startAfter === undefined) return 0
    return this.#now() + Math.max(0, task.startAfter - task.meta.updatedAt)
  }

  #end({ state, message, error }: Outcome, observed: ObservedContainer | undefined): void {
    const { files, logger } = this.#host
    files.remove(this.#task.meta.id).catch((failure: unknown) => {
      logger.warn('the files of an ended task are left for now', { task: this.#task.meta.id, error: failure })
    })
    this.#report({
      state,
      since: this.#wallTime(),
      message,
      error,
      containers: observed === undefined ? this.#status.containers : [observed.status],
      ...this.#knownFiles(),
    })
  }

  /** Reports a state that was not reported before, or news of the container within it. */
  #advance(state: TaskState, message: string, observed?: ObservedContainer): void {
    const order = compareStates(state, this.#status.state)
    if (order < 0) return
    const containers = observed === undefined ? this.#status.containers : [observed.status]
    if (order === 0 && JSON.stringify(containers) === JSON.stringify(this.#status.containers)) return
    const hostPorts = observed?.hostPorts ?? []
    this.#report({
      state,
      since: order === 0 ? this.#status.since : this.#wallTime(),
      message,
      error: '',
      containers,
      ...(hostPorts.length === 0 ? {} : { hostPorts }),
      ...this.#knownFiles(),
    })
  }

  #knownFiles(): Pick<TaskStatus, 'files'> {
    const { files } = this.#status
    return files === undefined ? {} : { files }
  }

  #wallTime(): Instant {
    return this.#host.clock.now()
  }

  #report(status: TaskStatus): void {
    if (status.state !== this.#status.state)
      this.#host.logger.info('task state', {
        task: this.#task.meta.id,
        from: this.#status.state,
        to: status.state,
        ...(status.error === '' ? {} : { error: status.error }),
      })
    this.#status = status
    this.#host.report(this.#task.meta.id, status)
  }
}

/** Signals are numbers in the engine's events. */
const sigkill = '9'

/** What our own operations cause is seen when they return; `exec_…`, `attach` and the like change nothing. */
const changesPhase = /^(start|die|stop|destroy|oom|pause|unpause|health_status.*)$/

const later = (known: TaskStatus, other: TaskStatus | undefined): TaskStatus =>
  other !== undefined && compareStates(other.state, known.state) > 0 ? other : known
