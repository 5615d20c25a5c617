import type { Engine } from '#engine/engine.ts'
import type { ContainerSummary, EngineEvent } from '#engine/types.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { backoffMs } from '#lib/retry.ts'
import { Semaphore } from '#lib/semaphore.ts'
import { abortable } from '#lib/wait.ts'
import type { TaskId } from '#model/id.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { Difference } from '#rpc/messages.ts'
import type { AttachmentProvider } from './attachments.ts'
import { Doorbell } from './doorbell.ts'
import type { TaskFiles } from './files/task-files.ts'
import type { Host } from './host.ts'
import { Images } from './images.ts'
import type { ImageSource } from './images.ts'
import { labels, ownLabels } from './labels.ts'
import { Orphans } from './orphans.ts'
import type { PlaceholderNode } from '#model/placeholders.ts'
import type { ContainerPhase } from './step.ts'
import { TaskRunner } from './task-runner.ts'

export interface ExecutorOptions {
  readonly engine: Engine
  readonly clock: Clock
  readonly logger: Logger
  readonly attachments: AttachmentProvider
  readonly files: TaskFiles
  /** Absent: every image comes from its registry. */
  readonly peers?: ImageSource | undefined
  readonly clusterId: string
  readonly nodeId: string
  node(): PlaceholderNode
  /** A state that no manager may have heard of yet. */
  report(taskId: TaskId, status: TaskStatus): void
  /** How a task ended, where no manager has stored that yet. */
  unstoredEnd(taskId: TaskId): TaskStatus | undefined
  /** Nothing of the task is left on this host, and no manager knows it. */
  forgotten(taskId: TaskId): void
}

/** More at a time only makes the engine's own locks contend (measured with up to 16 at a time). */
const parallelOperations = 4
/** A net below the engine's events. */
const compareEveryMs = 30_000
const compareBackoff = { firstMs: 100, maxMs: 2_000 }

/**
 * All tasks of this node. Follows assignments from above and the engine from below; nothing waits for it. What ran
 * before this process did is taken over by its labels. Containers of tasks that nobody knows are removed, but only
 * once a manager has told the whole set.
 */
export class Executor implements AsyncDisposable {
  readonly #options: ExecutorOptions
  readonly #host: Host
  readonly #runners = new Map<TaskId, TaskRunner>()
  readonly #orphans: Orphans
  readonly #stop = new AbortController()
  readonly #compareNow = new Doorbell()
  /** Our containers by task, as last listed. */
  #listed = new Map<string, ContainerSummary>()
  readonly #firstList = Promise.withResolvers<void>()
  #isWholeSetKnown = false
  readonly #comparing: Promise<void>

  constructor(options: ExecutorOptions) {
    const { engine, clock, logger } = options
    this.#options = options
    this.#orphans = new Orphans(engine, logger)
    this.#host = {
      engine,
      clock,
      logger,
      attachments: options.attachments,
      files: options.files,
      clusterId: options.clusterId,
      images: new Images({
        engine,
        logger,
        monotonicMs: () => clock.monotonicMs(),
        peers: options.peers,
        prefersLocal: process.env['DOCKER_SERVICE_PREFER_OFFLINE_IMAGE'] === '1',
      }),
      operations: new Semaphore(parallelOperations),
      node: () => options.node(),
      containerOf: async (taskId, signal) => {
        await abortable(this.#firstList.promise, signal, 'the engine to list its containers')
        return this.#listed.get(taskId)?.Id
      },
      report: (taskId, status) => {
        options.report(taskId, status)
      },
      forget: (taskId) => {
        this.#forget(taskId)
      },
    }
    this.#comparing = this.#compareNowAndThen()
  }

  /** Takes a whole set (`isFull`) or a difference. Only a whole set says what is not ours to run. */
  assign(tasks: Difference<Task>, isFull: boolean): void {
    for (const task of tasks.put) this.#put(task)
    for (const id of tasks.remove) this.#runners.get(id as TaskId)?.discard()
    if (!isFull) return
    const known = new Set<TaskId>(tasks.put.map((task) => task.meta.id))
    for (const [id, runner] of this.#runners) if (!known.has(id)) runner.discard()
    this.#options.files.keepOnly(known).catch((error: unknown) => {
      this.#options.logger.warn('files of tasks that are gone are left for now', { error })
    })
    this.#isWholeSetKnown = true
    this.#compareNow.ring()
  }

  withdrawn(taskIds: readonly TaskId[]): void {
    for (const id of taskIds) this.#runners.get(id)?.withdrawn()
  }

  /** The containers that run now, by the process that is first in each. */
  *running(): Iterable<{ taskId: TaskId; pid: number }> {
    for (const [taskId, { status }] of this.#runners) {
      const pid = status.containers[0]?.pid ?? 0
      if (status.state === 'running' && pid > 0) yield { taskId, pid }
    }
  }

  /** The engine answers (again): much may have happened that nobody was told. */
  lookAtAll(): void {
    for (const runner of this.#runners.values()) runner.look()
    this.#compareNow.ring()
  }

  hear(event: EngineEvent): void {
    const taskId = event.Actor.Attributes[labels.taskId]
    if (taskId !== undefined) this.#runners.get(taskId as TaskId)?.hear(event)
  }

  /** Leaving the cluster: everything of it goes, at once. */
  async removeAll(): Promise<void> {
    const { clusterId, nodeId, engine } = this.#options
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
    this.#runners.clear()
    this.#isWholeSetKnown = false
    for (const container of await engine.listContainers(ownLabels(clusterId, nodeId)))
      await this.#orphans.removeNow(container.Id)
    await this.#options.files.keepOnly(new Set())
  }

  /** Stops following; containers run on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#compareNow.ring()
    await Promise.all([...this.#runners.values()].map((runner) => runner.close()))
    await this.#comparing
  }

  #put(task: Task): void {
    const { id } = task.meta
    const known = this.#runners.get(id)
    if (known === undefined)
      this.#runners.set(id, new TaskRunner(this.#host, task, this.#options.unstoredEnd(id)))
    else {
      known.update(task)
      // A manager that has not heard of the last of it, or has lost it.
      if (JSON.stringify(known.status) !== JSON.stringify(task.status)) this.#options.report(id, known.status)
    }
  }

  #forget(taskId: TaskId): void {
    this.#runners.delete(taskId)
    this.#options.forgotten(taskId)
  }

  async #compareNowAndThen(): Promise<void> {
    const { signal } = this.#stop
    for (let failures = 0; !signal.aborted;) {
      this.#compareNow.clear()
      try {
        await this.#compare(signal)
        failures = 0
      } catch (error) {
        if (!signal.aborted) this.#options.logger.debug('the engine does not list its containers', { error })
        failures += 1
      }
      await this.#compareNow.rung(failures === 0 ? compareEveryMs : backoffMs(compareBackoff, failures))
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    const { engine, clusterId, nodeId } = this.#options
    const listed = new Map<string, ContainerSummary>()
    for (const container of await engine.listContainers(ownLabels(clusterId, nodeId), { signal }))
      listed.set(container.Labels[labels.taskId] ?? '', container)
    this.#listed = listed
    this.#firstList.resolve()
    for (const [id, runner] of this.#runners)
      if (runner.phase !== undefined && runner.phase !== phaseOf(listed.get(id))) runner.look()
    if (!this.#isWholeSetKnown) return
    for (const [taskId, container] of listed)
      if (!this.#runners.has(taskId as TaskId)) this.#orphans.remove(container.Id, taskId)
  }
}

function phaseOf(container: ContainerSummary | undefined): ContainerPhase {
  switch (container?.State) {
    case undefined:
      return 'absent'
    case 'created':
      return 'created'
    case 'removing':
      return 'removing'
    case 'running':
    case 'paused':
    case 'restarting':
      return 'running'
    default:
      return 'exited'
  }
}
