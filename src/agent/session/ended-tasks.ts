import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { readFileIfThere, writeFileAtomic } from '#lib/atomic-file.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { TaskId } from '#model/id.ts'
import type { TaskStatus } from '#model/task.ts'

/** Lines beyond what is live, after which the file is written anew. */
const slack = 1_000

/**
 * How tasks ended, on disk until a manager has stored it: one line when a task ends, one when that is stored. What runs
 * is the engine's to remember, but an end may leave nothing there: an image that does not exist, a container that was
 * removed by hand. Lines are appended at once, so the end of this process loses none; a power cut may, and then the
 * engine's own record of its containers tells.
 */
export class EndedTasks {
  readonly #path: string
  readonly #logger: Logger
  readonly #ended: Map<TaskId, TaskStatus>
  #lines: number

  private constructor(path: string, logger: Logger, ended: Map<TaskId, TaskStatus>) {
    this.#path = path
    this.#logger = logger
    this.#ended = ended
    this.#lines = ended.size
  }

  static async open(path: string, logger: Logger): Promise<EndedTasks> {
    const ended = new Map<TaskId, TaskStatus>()
    const text = (await readFileIfThere(path)) ?? ''
    for (const line of text.split('\n')) {
      if (line === '') continue
      try {
        const { taskId, status } = JSON.parse(line) as { taskId: TaskId; status?: TaskStatus }
        if (status === undefined) ended.delete(taskId)
        else ended.set(taskId, status)
      } catch {
        // The last line of a process that was killed while it wrote.
        logger.warn('a line of the record of ended tasks is not readable', { path })
      }
    }
    const record = new EndedTasks(path, logger, ended)
    if (text !== '') await record.#rewrite()
    return record
  }

  get(taskId: TaskId): TaskStatus | undefined {
    return this.#ended.get(taskId)
  }

  entries(): Iterable<[TaskId, TaskStatus]> {
    return this.#ended.entries()
  }

  put(taskId: TaskId, status: TaskStatus): void {
    this.#ended.set(taskId, status)
    this.#append({ taskId, status })
  }

  delete(taskId: TaskId): void {
    if (this.#ended.delete(taskId)) this.#append({ taskId })
  }

  #append(line: object): void {
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
      appendFileSync(this.#path, `${JSON.stringify(line)}\n`, { mode: 0o600 })
    } catch (error) {
      this.#logger.warn('the end of a task was not written to disk', { path: this.#path, error })
    }
    this.#lines += 1
    if (this.#lines < this.#ended.size + slack) return
    this.#lines = this.#ended.size
    this.#rewrite().catch((error: unknown) => {
      this.#logger.warn('the record of ended tasks was not shortened', { error: errorText(error) })
    })
  }

  async #rewrite(): Promise<void> {
    const lines = [...this.#ended].map(([taskId, status]) => `${JSON.stringify({ taskId, status })}\n`)
    await writeFileAtomic(this.#path, lines.join(''))
  }
}
