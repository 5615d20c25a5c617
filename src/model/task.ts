import type { Instant } from '#lib/clock.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from './id.ts'
import type { Labels, Meta } from './meta.ts'
import type { GenericResource } from './resources.ts'
import type { PortSpec, TaskTemplate } from './service.ts'
import type { TaskState } from './task-state.ts'

/** One of a task's networks with its addresses there, from the allocator. */
export interface Attachment {
  readonly networkId: NetworkId
  /** CIDR notation; IPv4 and, where the network has it, IPv6. */
  readonly addresses: readonly string[]
  readonly aliases: readonly string[]
}

/** One container of a task as the agent sees it. */
export interface ContainerStatus {
  readonly name: string
  readonly containerId: string
  readonly pid: number
  /** Present once it has ended. */
  readonly exitCode?: number
  readonly health?: 'starting' | 'healthy' | 'unhealthy'
  readonly startedAt?: Instant
  readonly finishedAt?: Instant
}

/** What was seen of a task; written by its agent (and by the node-health loop: orphaned). */
export interface TaskStatus {
  readonly state: TaskState
  /** When this state was entered. */
  readonly since: Instant
  /** Docker's short phrase: "started", "preparing" … */
  readonly message: string
  /** Why it is not where it should be; '' if all is well. */
  readonly error: string
  readonly containers: readonly ContainerStatus[]
  /** Host-mode ports that the engine opened. */
  readonly hostPorts?: readonly PortSpec[]
  /** What became of the newest `refresh` that the agent has seen. */
  readonly files?: { readonly generation: number; readonly at: Instant; readonly error?: string }
}

/**
 * What a task was made for, where it is not simply missing: `restart` after its predecessor ended, `move` because
 * the predecessor lost its place, `update` because the service's spec has changed, `rebalance` because another node
 * suits it better.
 */
export type TaskCause = 'restart' | 'move' | 'update' | 'rebalance'

/**
 * One scheduled instance. `spec` never changes: a changed service makes new tasks. Each mutable field has
 * one writer, see `model/owners.ts`.
 */
export interface Task {
  readonly kind: 'task'
  readonly meta: Meta<TaskId>
  readonly spec: TaskTemplate
  /** '' for a task of its own (an attachment of a plain container). */
  readonly serviceId: ServiceId | ''
  /** The service's name when the task was made; names of containers are made of it. */
  readonly serviceName: string
  readonly serviceLabels: Labels
  /** The generation of the service's spec this task was made from. */
  readonly serviceGeneration: number
  /** 1… for replicated services, 0… for replicated jobs (Docker counts both so); 0 for global ones. */
  readonly slot: number
  /** '' until the scheduler has chosen. For global services set at creation. */
  readonly nodeId: NodeId | ''
  readonly desiredState: TaskState
  readonly attachments: readonly Attachment[]
  /** Ports of the service's endpoint at the time of creation that this task opens on its host. */
  readonly ports: readonly PortSpec[]
  readonly genericResources?: readonly GenericResource[]
  readonly jobIteration?: number
  readonly cause?: TaskCause
  /** Restarts of this slot within the policy's window, oldest first, so that a new leader counts the same. */
  readonly restarts?: {
    readonly count: number
    readonly at: readonly Instant[]
    /** How many of the last ended again soon, one after the other; absent = 0. */
    readonly quick?: number
  }
  /** A replacement waits until then before it may go to `running`. */
  readonly startAfter?: Instant
  /**
   * The task of an older spec that it takes the place of: what that one holds on its node is this one's as soon as it
   * stops.
   */
  readonly succeeds?: { readonly taskId: TaskId; readonly nodeId: NodeId }
  /** Secrets and configs were given new data which this task gets while it runs. */
  readonly refresh?: FileRefresh
  readonly status: TaskStatus
}

/** Other versions of a task's files than its spec names. */
export interface FileRefresh {
  /** The generation of the service's spec that names them. */
  readonly generation: number
  /** By the id of the secret or config. */
  readonly versions: Readonly<Record<string, number>>
  /** Sent to the container once its files are new. */
  readonly signal?: string
}
