import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { backoffMs } from '#lib/retry.ts'
import { Semaphore } from '#lib/semaphore.ts'
import { sleep } from '#lib/wait.ts'
import type { TaskId } from '#model/id.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { Assignments, TaskStatusUpdate } from '#rpc/messages.ts'
import type { ContainerConfigOptions } from './container-config.ts'
import { Images } from './images.ts'
import { labels } from './labels.ts'
import { removeContainer, TaskRunner } from './task-runner.ts'
import type { RunnerParts } from './task-runner.ts'

export interface ExecutorOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly logger: Logger
  readonly clusterId: string
  readonly config: () => ContainerConfigOptions
  readonly report: (update: TaskStatusUpdate) => void
}

/** More at a time only makes the engine's own locks contend: measured on two cores. */
const parallelOperations = 4
/** A net below the engine's events: every container is looked at again. */
const compareEveryMs = 30_000

/** All tasks of this node. Follows assignments from above and the engine's events from below. */
export class Executor implements AsyncDisposable {
  readonly #options: ExecutorOptions
  readonly #runners = new Map<TaskId, TaskRunner>()
  readonly #parts: RunnerParts
  readonly #stop = new AbortController()
  readonly #following: Promise<unknown>
  /** Containers of ours by task, found on the engine before their tasks were known. */
  readonly #found = new Map<string, string>()
  #adopted: Promise<void> | undefined

  constructor(options: ExecutorOptions) {
    this.#options = options
    this.#parts = {
      engine: options.engine,
      images: new Images(options.engine, options.logger),
      clock: options.clock,
      logger: options.logger,
      operations: new Semaphore(parallelOperations),
      config: options.config,
      report: (task: Task, status: TaskStatus) => {
        options.report({ taskId: task.meta.id, status })
      },
    }
    this.#following = Promise.all([this.#followEvents(), this.#compareNowAndThen()])
  }

  /** What every task was last seen to be: told to each new manager, which may have missed some of it. */
  statuses(): TaskStatusUpdate[] {
    return [...this.#runners.values()].map((runner) => ({
      taskId: runner.task.meta.id,
      status: runner.status,
    }))
  }

  /** Takes a set or a difference. Only a full set says what is not ours to run. */
  async assign(assignments: Pick<Assignments, 'full' | 'tasks'>): Promise<void> {
    this.#adopted ??= this.#findContainers()
    await this.#adopted
    for (const task of assignments.tasks.put) this.#put(task)
    for (const id of assignments.tasks.remove) this.#remove(id as TaskId)
    if (!assignments.full) return
    const known = new Set<string>(assignments.tasks.put.map((task) => task.meta.id))
    for (const id of this.#runners.keys()) if (!known.has(id)) this.#remove(id)
    for (const [taskId, containerId] of this.#found) {
      if (known.has(taskId)) continue
      this.#options.logger.info('a container without a task is removed', {
        task: taskId,
        container: containerId,
      })
      this.#background(removeContainer(this.#options.engine, containerId, 10), 'an orphan was not removed')
    }
    this.#found.clear()
  }

  /** Leaving the cluster: everything of it goes. */
  async removeAll(): Promise<void> {
    await (this.#adopted ?? this.#findContainers())
    const removals = [
      ...[...this.#runners.values()].map((runner) => runner.remove()),
      ...[...this.#found.values()].map((id) => removeContainer(this.#options.engine, id, 10)),
    ]
    this.#runners.clear()
    for (const result of await Promise.allSettled(removals))
      if (result.status === 'rejected')
        this.#options.logger.warn('a container was not removed', { error: result.reason })
  }

  /** Stops following; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
    await this.#following
  }

  #put(task: Task): void {
    const known = this.#runners.get(task.meta.id)
    if (known !== undefined) {
      known.update(task)
      return
    }
    const runner = new TaskRunner(
      this.#parts,
      task,
      this.#found.get(task.meta.id) ?? task.status.containers[0]?.containerId,
    )
    this.#runners.set(task.meta.id, runner)
    runner.kick()
  }

  #remove(id: TaskId): void {
    const runner = this.#runners.get(id)
    if (runner === undefined) return
    this.#runners.delete(id)
    this.#background(runner.remove(), 'the container of a removed task is left')
  }

  #background(work: Promise<void>, failure: string): void {
    work.catch((error: unknown) => {
      if (!this.#stop.signal.aborted) this.#options.logger.warn(failure, { error })
    })
  }

  async #findContainers(): Promise<void> {
    for (let attempt = 0; !this.#stop.signal.aborted; attempt++) {
      try {
        const wanted = [`${labels.clusterId}=${this.#options.clusterId}`]
        for (const container of await this.#options.engine.listContainers(wanted)) {
          const taskId = container.Labels[labels.taskId]
          if (taskId !== undefined) this.#found.set(taskId, container.Id)
        }
        return
      } catch (error) {
        this.#options.logger.warn('the engine does not list its containers yet', { error })
        await sleep(backoffMs({ firstMs: 100, maxMs: 2_000 }, attempt), this.#stop.signal).catch(
          () => undefined,
        )
      }
    }
  }

  async #followEvents(): Promise<void> {
    const { signal } = this.#stop
    for (let attempt = 0; !signal.aborted;) {
      try {
        const events = this.#options.engine.events({
          signal,
          types: ['container'],
          // What happened while nobody listened is seen by looking at every container once.
          onOpen: () => {
            attempt = 0
            for (const runner of this.#runners.values()) runner.kick()
          },
        })
        for await (const event of events) {
          const taskId = event.Actor.Attributes[labels.taskId]
          if (taskId !== undefined && !event.Action.startsWith('exec_'))
            this.#runners.get(taskId as TaskId)?.kick()
        }
      } catch (error) {
        if (!signal.aborted) this.#options.logger.debug("the engine's events ended", { error })
      }
      await sleep(backoffMs({ firstMs: 50, maxMs: 1_000 }, attempt++), signal).catch(() => undefined)
    }
  }

  async #compareNowAndThen(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(compareEveryMs, this.#stop.signal).catch(() => undefined)
      for (const runner of this.#runners.values()) runner.kick()
    }
  }
}
