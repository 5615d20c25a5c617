import type { Clock } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { TaskId } from '#model/id.ts'
import type { TaskStatus } from '#model/task.ts'
import type { TaskStatusUpdate } from '#rpc/messages.ts'
import type { Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { mergeStatus } from './status-merge.ts'

/** Objects in one transaction: large enough that a burst costs few fsyncs, small enough that a conflict costs little. */
const batchSize = 1_000
/** Transactions under way together: while the store keeps one, the next is sealed. */
const atOnce = 2
const writeTimeoutMs = 10_000

interface Pending {
  status: TaskStatus
  readonly stored: ((taskId: TaskId) => void)[]
}

/**
 * Writes what agents see of their tasks. Few transactions are in flight at a time, of a task one at most, and the next
 * carries everything that came meanwhile; a report is acknowledged to its agent only once it is stored (or once it says
 * nothing new).
 */
export class StatusWriter implements AsyncDisposable {
  readonly #pending = new Map<TaskId, Pending>()
  readonly #inFlight = new Set<TaskId>()
  readonly #stop = new AbortController()
  readonly #store: Store
  readonly #mirror: Mirror
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #sleepers = new Set<() => void>()
  readonly #running: Promise<unknown>

  constructor(parts: { store: Store; mirror: Mirror; clock: Clock; logger: Logger }) {
    this.#store = parts.store
    this.#mirror = parts.mirror
    this.#clock = parts.clock
    this.#logger = parts.logger
    this.#running = Promise.all(Array.from({ length: atOnce }, () => this.#run()))
  }

  /** Takes a report; `stored` is told of each task once the store has it. The later of two reports of a task wins. */
  submit(updates: readonly TaskStatusUpdate[], stored: (taskId: TaskId) => void): void {
    for (const { taskId, status } of updates) {
      const pending = this.#pending.get(taskId)
      if (pending === undefined) this.#pending.set(taskId, { status, stored: [stored] })
      else {
        pending.status = status
        pending.stored.push(stored)
      }
    }
    this.#wake()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    let size = batchSize
    while (!this.#stop.signal.aborted) {
      const batch = this.#take(size)
      if (batch.length === 0) {
        await new Promise<void>((resolve) => this.#sleepers.add(resolve))
        continue
      }
      try {
        await this.#write(batch)
        size = batchSize
      } catch (error) {
        this.#putBack(batch)
        // Another writer moved one of these tasks: halve until the one in the way is alone.
        if (isMureError(error, 'conflict')) size = Math.max(1, Math.floor(size / 2))
        else {
          this.#logger.warn('task states could not be stored yet', { error, tasks: batch.length })
          await sleep(200, this.#stop.signal).catch(() => undefined)
        }
      } finally {
        for (const [taskId] of batch) this.#inFlight.delete(taskId)
        this.#wake()
      }
    }
  }

  #wake(): void {
    for (const wake of this.#sleepers) wake()
    this.#sleepers.clear()
  }

  #take(size: number): (readonly [TaskId, Pending])[] {
    const batch: [TaskId, Pending][] = []
    // What comes one by one is gathered while another is under way; only a crowd is worth a second one.
    if (this.#inFlight.size > 0 && this.#pending.size < size / 2) return batch
    for (const entry of this.#pending) {
      if (batch.length >= size) break
      if (this.#inFlight.has(entry[0])) continue
      batch.push(entry)
      this.#pending.delete(entry[0])
      this.#inFlight.add(entry[0])
    }
    return batch
  }

  async #write(batch: readonly (readonly [TaskId, Pending])[]): Promise<void> {
    const now = this.#clock.now()
    const changes: Change[] = []
    for (const [taskId, pending] of batch) {
      const task = this.#mirror.get('task', taskId)
      const merged = task === undefined ? undefined : mergeStatus(task, pending.status, now)
      if (merged !== undefined) changes.push(update(merged))
    }
    if (changes.length > 0) {
      using wait = startWait({
        timeoutMs: writeTimeoutMs,
        signal: this.#stop.signal,
        what: 'task states to be stored',
      })
      try {
        const { revision } = await this.#store.transact(changes, { wait })
        await this.#mirror.reached(revision, wait)
      } catch (error) {
        if (isMureError(error, 'conflict'))
          await this.#mirror.reached(await this.#store.currentRevision(wait), wait)
        throw error
      }
    }
    for (const [taskId, pending] of batch) for (const stored of pending.stored) stored(taskId)
  }

  #putBack(batch: readonly (readonly [TaskId, Pending])[]): void {
    for (const [taskId, pending] of batch) {
      const newer = this.#pending.get(taskId)
      if (newer === undefined) this.#pending.set(taskId, pending)
      else newer.stored.push(...pending.stored)
    }
  }
}
