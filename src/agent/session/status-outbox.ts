import type { TaskId } from '#model/id.ts'
import type { TaskStatusUpdate } from '#rpc/messages.ts'

/** States gather this long before they are sent: a burst costs one message. */
const gatherMs = 15

/** What was seen and is not known to be stored: sent again to each new manager until one says it has it. */
export class StatusOutbox {
  readonly #unstored = new Map<TaskId, TaskStatusUpdate>()
  readonly #unsent = new Set<TaskId>()
  #timer: NodeJS.Timeout | undefined
  #send: ((updates: readonly TaskStatusUpdate[]) => void) | undefined

  add(update: TaskStatusUpdate): void {
    this.#unstored.set(update.taskId, update)
    this.#unsent.add(update.taskId)
    this.#arm()
  }

  /** A session is open: everything unstored goes out. Undefined: it is over. */
  connect(send: ((updates: readonly TaskStatusUpdate[]) => void) | undefined): void {
    this.#send = send
    if (send === undefined) return
    for (const taskId of this.#unstored.keys()) this.#unsent.add(taskId)
    this.#arm()
  }

  /** The manager has stored what it had of these; what came since is still to be stored. */
  stored(taskIds: readonly TaskId[]): void {
    for (const taskId of taskIds) if (!this.#unsent.has(taskId)) this.#unstored.delete(taskId)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#send = undefined
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#send === undefined || this.#unsent.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const updates = [...this.#unsent].flatMap((taskId) => this.#unstored.get(taskId) ?? [])
      this.#unsent.clear()
      if (updates.length > 0) this.#send?.(updates)
    }, gatherMs)
  }
}
