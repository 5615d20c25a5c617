import { errorText, isMureError, MureError } from '#lib/errors.ts'
import { stopGracePeriodDefaultMs } from '#model/defaults.ts'
import { taskName } from '#model/task-name.ts'
import type { Task } from '#model/task.ts'
import type { Attached } from './attachments.ts'
import { containerConfig } from './container-config.ts'
import type { BoundFile } from './files/task-files.ts'
import type { Host } from './host.ts'
import { labels } from './labels.ts'
import { freshContainer, observe } from './observed.ts'
import type { ObservedContainer } from './observed.ts'

/**
 * One task's container on the engine, and everything that is done to it. Each operation may be repeated after an
 * answer was lost: the container's name is the task's alone, so a second one can't come to be.
 */
export class TaskContainer {
  readonly #host: Host
  readonly #task: Task
  #id: string | undefined
  /** A creation was asked for and its answer was lost. */
  #mayExist = false

  constructor(host: Host, task: Task, id: string | undefined) {
    this.#host = host
    this.#task = task
    this.#id = id
  }

  /** As the engine shows it now; undefined when there is none. */
  async inspect(): Promise<ObservedContainer | undefined> {
    const reference = this.#id ?? (this.#mayExist ? taskName(this.#task) : undefined)
    if (reference === undefined) return undefined
    try {
      const seen = await this.#host.engine.inspectContainer(reference)
      this.#id = seen.Id
      return observe(seen, this.#task)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
      this.#id = undefined
      this.#mayExist = false
      return undefined
    }
  }

  /** Gets what it needs and creates it. The signal ends the getting; a creation is always waited for. */
  async prepare(signal: AbortSignal): Promise<ObservedContainer> {
    const { engine, images, attachments, files, operations, clusterId } = this.#host
    const container = this.#task.spec.containers[0]
    if (container === undefined) throw new MureError('invalid', 'the task has no container')
    const { image, registryAuth } = container
    const node = this.#host.node()
    const configWith = (attached: Attached, bound: readonly BoundFile[]) =>
      containerConfig(this.#task, container, { clusterId, node, attached, files: bound })
    // What can run nowhere is refused before anything is pulled for it.
    configWith({}, [])
    await images.ensure({ image, ...(registryAuth === undefined ? {} : { registryAuth }) }, signal)
    const bound = await files.write(this.#task, node)
    const attached = await attachments.attach(this.#task, signal)
    const body = configWith(attached, bound)
    return operations.run(async () => {
      if (signal.aborted) throw new MureError('cancelled', 'the task is no longer wanted')
      this.#mayExist = true
      try {
        this.#id = await engine.createContainer(taskName(this.#task), body)
        for (const { name, config } of attached.connects ?? [])
          await engine.connectNetwork(name, this.#id, config)
        return freshContainer(this.#id)
      } catch (error) {
        if (!isMureError(error, 'conflict')) throw error
        return this.#takeExisting(error)
      }
    })
  }

  async start(): Promise<void> {
    const id = this.#id
    if (id === undefined) return
    try {
      await this.#host.operations.run(() => this.#host.engine.startContainer(id))
    } catch (error) {
      // Running already, or gone: the next look at it tells.
      if (isMureError(error, 'precondition') || /No such container/.test(errorText(error))) return
      throw error
    }
  }

  async signal(name: string): Promise<void> {
    if (this.#id !== undefined) await this.#host.engine.killContainer(this.#id, name)
  }

  /** Ends when the container has, at the latest with its grace period, or with the signal: the engine goes on then. */
  async stop(signal: AbortSignal): Promise<void> {
    const id = this.#id
    if (id === undefined) return
    const grace = this.#task.spec.containers[0]?.stopGracePeriodMs ?? stopGracePeriodDefaultMs
    try {
      await this.#host.engine.stopContainer(id, Math.ceil(grace / 1_000), { signal })
    } catch (error) {
      if (!isMureError(error, 'not-found', 'precondition')) throw error
    }
  }

  /** With its anonymous volumes, and whatever runs in it. */
  async remove(): Promise<void> {
    await this.#host.files.remove(this.#task.meta.id)
    if (this.#id === undefined) return
    try {
      await this.#host.engine.removeContainer(this.#id)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
    }
  }

  /** Made before a restart of ours, or by a call whose answer was lost. */
  async #takeExisting(conflict: MureError): Promise<ObservedContainer> {
    try {
      const seen = await this.#host.engine.inspectContainer(taskName(this.#task))
      if (seen.Config.Labels?.[labels.taskId] !== this.#task.meta.id) throw conflict
      this.#id = seen.Id
      return observe(seen, this.#task)
    } catch (error) {
      if (!isMureError(error, 'not-found')) throw error
      throw new MureError('unavailable', 'the container was being removed', { cause: conflict })
    }
  }
}
