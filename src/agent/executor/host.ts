import type { Engine } from '#engine/engine.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import type { Semaphore } from '#lib/semaphore.ts'
import type { TaskId } from '#model/id.ts'
import type { TaskStatus } from '#model/task.ts'
import type { AttachmentProvider } from './attachments.ts'
import type { TaskFiles } from './files/task-files.ts'
import type { Images } from './images.ts'
import type { PlaceholderNode } from '#model/placeholders.ts'

/** What all task runners of a host share. */
export interface Host {
  readonly engine: Engine
  readonly images: Images
  readonly attachments: AttachmentProvider
  readonly files: TaskFiles
  readonly clock: Clock
  readonly logger: Logger
  readonly clusterId: string
  /** How many operations the engine is asked for at a time. */
  readonly operations: Semaphore
  node(): PlaceholderNode
  /** The container that the engine had for a task when this agent started. Waits until the engine has said. */
  containerOf(taskId: TaskId, signal: AbortSignal): Promise<string | undefined>
  report(taskId: TaskId, status: TaskStatus): void
  /** Nothing is left of the task. */
  forget(taskId: TaskId): void
}
