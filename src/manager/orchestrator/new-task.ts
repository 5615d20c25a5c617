import type { Instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { newId } from '#model/id.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { Service } from '#model/service.ts'
import type { Task, TaskCause } from '#model/task.ts'
import type { TaskState } from '#model/task-state.ts'

export interface NewTaskOptions {
  readonly slot: number
  /** Global services choose it with the task. */
  readonly nodeId?: NodeId | ''
  readonly desiredState: TaskState
  readonly cause?: TaskCause
  readonly startAfter?: Instant
  readonly restarts?: Task['restarts']
  readonly succeeds?: Task['succeeds']
  /** Of a job; otherwise the service's present one. */
  readonly jobIteration?: number
}

/** A task of a service as it is now. */
export function newTask(
  service: Service,
  options: NewTaskOptions,
  env: { now: Instant; random: Random },
): Task {
  const { now } = env
  const jobIteration = options.jobIteration ?? service.status.job?.iteration
  return {
    kind: 'task',
    meta: newMeta(newId<TaskId>(env.random), now),
    spec: service.spec.template,
    serviceId: service.meta.id,
    serviceName: service.spec.name,
    serviceLabels: service.spec.labels,
    serviceGeneration: service.meta.generation,
    slot: options.slot,
    nodeId: options.nodeId ?? '',
    desiredState: options.desiredState,
    attachments: [],
    ports: service.spec.endpoint?.ports ?? [],
    ...(options.startAfter === undefined ? {} : { startAfter: options.startAfter }),
    ...(options.restarts === undefined ? {} : { restarts: options.restarts }),
    ...(options.succeeds === undefined ? {} : { succeeds: options.succeeds }),
    ...(options.cause === undefined ? {} : { cause: options.cause }),
    ...(jobIteration === undefined ? {} : { jobIteration }),
    status: { state: 'new', since: now, message: 'created', error: '', containers: [] },
  }
}
