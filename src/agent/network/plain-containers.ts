import type { Engine } from '#engine/engine.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'
import type { Task } from '#model/task.ts'
import type { Difference } from '#rpc/messages.ts'

/** The runtime of a task that stands for a plain container's place on a network. */
export const attachmentRuntime = 'attachment'
/** The label of a container that has such a place: `mure.attachment.<task>`. */
export const attachmentLabel = 'mure.attachment.'

const compareEveryMs = 30_000
/** Between the taking of a place and the making of its container. */
const graceMs = 60_000

/**
 * The places of this host's plain containers on attachable networks. A place whose container is gone is given back,
 * however it went, and whether anybody of us was there to see it.
 */
export class PlainContainers implements AsyncDisposable {
  readonly #engine: Engine
  readonly #release: (taskId: string) => Promise<void>
  readonly #logger: Logger
  readonly #places = new Map<string, number>()
  readonly #stop = new AbortController()
  readonly #comparing: Promise<void>

  constructor(parts: { engine: Engine; release: (taskId: string) => Promise<void>; logger: Logger }) {
    this.#engine = parts.engine
    this.#release = parts.release
    this.#logger = parts.logger
    this.#comparing = this.#compareNowAndThen()
  }

  /** Takes the assignments, and gives back those that are tasks to be run. */
  take(tasks: Difference<Task>, isFull: boolean): Difference<Task> {
    if (isFull) this.#places.clear()
    const put: Task[] = []
    for (const task of tasks.put)
      if (task.spec.runtime !== attachmentRuntime) put.push(task)
      else this.#places.set(task.meta.id, this.#places.get(task.meta.id) ?? performance.now())
    for (const id of tasks.remove) this.#places.delete(id)
    return { put, remove: tasks.remove }
  }

  /** A container of this host was removed. */
  async removed(labels: Readonly<Record<string, string>>): Promise<void> {
    for (const label of Object.keys(labels))
      if (label.startsWith(attachmentLabel)) await this.#giveBack(label.slice(attachmentLabel.length))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#comparing
  }

  async #giveBack(taskId: string): Promise<void> {
    await this.#release(taskId)
    this.#places.delete(taskId)
  }

  async #compareNowAndThen(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await sleep(compareEveryMs, signal).catch(() => undefined)
      if (signal.aborted || this.#places.size === 0) continue
      await this.#compare(signal).catch((error: unknown) => {
        if (!signal.aborted)
          this.#logger.debug('places on networks could not be compared with the containers', { error })
      })
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    const containers = await this.#engine.listContainers([], { signal })
    const used = new Set(containers.flatMap(({ Labels }) => Object.keys(Labels)))
    for (const [taskId, since] of [...this.#places])
      if (!used.has(`${attachmentLabel}${taskId}`) && performance.now() - since > graceMs)
        await this.#giveBack(taskId)
  }
}
