import type { Engine } from '#engine/engine.ts'
import { engineStatus } from '#engine/transport.ts'
import type { Clock } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { backoffMs } from '#lib/retry.ts'
import type { Semaphore } from '#lib/semaphore.ts'
import { sleep } from '#lib/wait.ts'
import { stopGracePeriodDefaultMs } from '#model/defaults.ts'
import { compareStates, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import { containerConfig } from './container-config.ts'
import type { ContainerConfigOptions } from './container-config.ts'
import type { Images } from './images.ts'
import { taskName } from './labels.ts'
import { awaitsHealth, observe } from './observed.ts'
import type { ObservedContainer } from './observed.ts'
import { nextStep } from './step.ts'

export interface RunnerParts {
  readonly engine: Engine
  readonly images: Images
  readonly clock: Clock
  readonly logger: Logger
  /** How many operations the engine is asked for at a time. */
  readonly operations: Semaphore
  readonly config: () => ContainerConfigOptions
  readonly report: (task: Task, status: TaskStatus) => void
}

/**
 * Brings one task's container to what is wanted of it, one operation at a time, and reports each state once.
 * The engine is the memory: after a restart the container tells where the task was. An engine that does not
 * answer is asked again; only what it says for certain ends a task.
 */
export class TaskRunner {
  readonly #parts: RunnerParts
  #task: Task
  #status: TaskStatus
  #containerId: string | undefined
  #running: Promise<void> | undefined
  #again = false
  #abort = new AbortController()
  #closed = false

  constructor(parts: RunnerParts, task: Task, containerId: string | undefined) {
    this.#parts = parts
    this.#task = task
    this.#status = task.status
    this.#containerId = containerId
  }

  get task(): Task {
    return this.#task
  }

  get status(): TaskStatus {
    return this.#status
  }

  update(task: Task): void {
    const stopping = isTerminal(task.desiredState) && !isTerminal(this.#task.desiredState)
    this.#task = task
    if (compareStates(task.status.state, this.#status.state) > 0) this.#status = task.status
    // A pull that nobody waits for any more is given up at once.
    if (stopping) this.#abort.abort()
    this.kick()
  }

  /** Something happened: look again. */
  kick(): void {
    if (this.#closed) return
    if (this.#running !== undefined) {
      this.#again = true
      return
    }
    this.#running = this.#run().finally(() => {
      this.#running = undefined
      if (this.#again) {
        this.#again = false
        this.kick()
      }
    })
  }

  /** Stops looking after the task; its container stays as it is. */
  async close(): Promise<void> {
    this.#closed = true
    this.#abort.abort()
    await this.#running
  }

  /** The task is gone from the cluster: its container goes too. */
  async remove(): Promise<void> {
    await this.close()
    if (this.#containerId === undefined) return
    await removeContainer(this.#parts.engine, this.#containerId, this.#graceSeconds())
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#closed;) {
      try {
        if (!(await this.#step())) return
        failures = 0
      } catch (error) {
        if (this.#closed) return
        const aborted = this.#abort.signal.aborted
        if (aborted) this.#abort = new AbortController()
        else if (isCertain(error)) {
          this.#end(
            compareStates(this.#status.state, 'starting') < 0 ? 'rejected' : 'failed',
            errorText(error),
          )
          continue
        } else {
          this.#parts.logger.warn('a task waits for the engine', { task: this.#task.meta.id, error })
          await sleep(backoffMs({ firstMs: 200, maxMs: 5_000 }, failures++), this.#abort.signal).catch(
            () => undefined,
          )
        }
      }
    }
  }

  /** Performs the next operation. False: nothing to do until something happens. */
  async #step(): Promise<boolean> {
    const observed = await this.#observe()
    const step = nextStep(this.#task.desiredState, this.#status.state, observed?.phase ?? 'absent')
    switch (step) {
      case 'prepare':
        await this.#prepare()
        return true
      case 'hold':
        this.#advance('ready', 'prepared', observed)
        return false
      case 'start':
        this.#advance('starting', 'starting', observed)
        await this.#start()
        return true
      case 'watch':
        return this.#watch(observed)
      case 'conclude':
        this.#conclude(observed)
        return false
      case 'lost':
        this.#end('failed', 'the container is gone')
        return false
      case 'stop':
        await this.#stop(observed)
        return false
      case 'rest':
        return false
    }
  }

  async #observe(): Promise<ObservedContainer | undefined> {
    if (this.#containerId === undefined) return undefined
    try {
      return observe(await this.#parts.engine.inspectContainer(this.#containerId), this.#task)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
      this.#containerId = undefined
      return undefined
    }
  }

  async #prepare(): Promise<void> {
    const { engine, images, operations } = this.#parts
    const container = this.#task.spec.containers[0]
    if (container === undefined) {
      this.#end('rejected', 'the task has no container')
      return
    }
    this.#advance('accepted', 'accepted')
    this.#advance('preparing', 'preparing')
    await images.ensure(container.image, container.registryAuth, this.#abort.signal)
    const name = taskName(this.#task)
    const body = containerConfig(this.#task, container, this.#parts.config())
    this.#containerId = await operations.run(async () => {
      try {
        return await engine.createContainer(name, body, { signal: this.#abort.signal })
      } catch (error) {
        // Made before a restart of ours, or by a call whose answer was lost: it is this task's all the same.
        if (!isMureError(error, 'conflict')) throw error
        return (await engine.inspectContainer(name)).Id
      }
    })
    this.#advance('ready', 'prepared', await this.#observe())
  }

  async #start(): Promise<void> {
    const id = this.#containerId
    if (id === undefined) return
    await this.#parts.operations.run(() => this.#parts.engine.startContainer(id))
  }

  /** True: the state moved and there may be more to do. */
  async #watch(observed: ObservedContainer | undefined): Promise<boolean> {
    if (observed === undefined) return true
    const container = this.#task.spec.containers[0]
    if (observed.status.health === 'unhealthy') {
      await this.#parts.engine.stopContainer(observed.status.containerId, this.#graceSeconds())
      this.#end('failed', 'task: non-zero exit (137): dockerexec: unhealthy container', await this.#observe())
      return false
    }
    if (awaitsHealth(container, observed)) this.#advance('starting', 'starting', observed)
    else this.#advance('running', 'started', observed)
    return false
  }

  #conclude(observed: ObservedContainer | undefined): void {
    const exitCode = observed?.status.exitCode ?? -1
    if (isTerminal(this.#task.desiredState)) this.#end('shutdown', '', observed, 'shutdown')
    else if (exitCode === 0 && observed?.error === '') this.#end('complete', '', observed, 'finished')
    else {
      const why = observed?.error !== undefined && observed.error !== '' ? `: ${observed.error}` : ''
      this.#end('failed', `task: non-zero exit (${String(exitCode)})${why}`, observed)
    }
  }

  async #stop(observed: ObservedContainer | undefined): Promise<void> {
    if (observed?.phase === 'running')
      await this.#parts.engine.stopContainer(observed.status.containerId, this.#graceSeconds())
    if (isTerminal(this.#status.state)) return
    this.#end('shutdown', '', await this.#observe(), 'shutdown')
  }

  #graceSeconds(): number {
    const container = this.#task.spec.containers[0]
    return Math.ceil((container?.stopGracePeriodMs ?? stopGracePeriodDefaultMs) / 1_000)
  }

  #end(state: TaskState, error: string, observed?: ObservedContainer, message = this.#status.message): void {
    this.#report({
      state,
      since: this.#parts.clock.now(),
      message: state === 'failed' ? 'started' : message,
      error,
      containers: observed === undefined ? this.#status.containers : [observed.status],
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
      since: order === 0 ? this.#status.since : this.#parts.clock.now(),
      message,
      error: '',
      containers,
      ...(hostPorts.length === 0 ? {} : { hostPorts }),
    })
  }

  #report(status: TaskStatus): void {
    if (status.state !== this.#status.state)
      this.#parts.logger.info('task state', {
        task: this.#task.meta.id,
        from: this.#status.state,
        to: status.state,
        error: status.error,
      })
    this.#status = status
    this.#parts.report(this.#task, status)
  }
}

/** The engine has said no, as opposed to nothing. A refusal of its own defects (5xx while it stops) may pass. */
function isCertain(error: unknown): boolean {
  const status = engineStatus(error)
  if (status !== undefined)
    return !/context canceled|is shutting down|connection refused$/.test(errorText(error))
  return isMureError(error, 'invalid', 'not-found', 'conflict', 'unsupported')
}

/** Stops and removes; a container that is gone already is what was wanted. */
export async function removeContainer(engine: Engine, id: string, graceSeconds: number): Promise<void> {
  try {
    await engine.stopContainer(id, graceSeconds)
  } catch (error) {
    if (!isMureError(error, 'not-found', 'precondition')) throw error
  }
  try {
    await engine.removeContainer(id)
  } catch (error) {
    if (!isMureError(error, 'not-found') && !/already in progress/.test(errorText(error))) throw error
  }
}
