import type { Instant } from '#lib/clock.ts'
import type { ContainerSpec } from './container.ts'
import type { NetworkId, ServiceId } from './id.ts'
import type { Labels, Meta } from './meta.ts'
import type { ResourceRequirements } from './resources.ts'

/** A pluggable part of the engine (log, volume, network driver) and its options. */
export interface Driver {
  readonly name: string
  readonly options?: Readonly<Record<string, string>>
}

export type RestartCondition = 'none' | 'on-failure' | 'any'

/** Absent fields mean the defaults of `model/defaults.ts`; Docker's are: any, 5 s, unlimited, unbounded window. */
export interface RestartPolicy {
  readonly condition?: RestartCondition
  readonly delayMs?: number
  /** 0 = unlimited. */
  readonly maxAttempts?: number
  /** The span attempts are counted in; 0 = for ever. */
  readonly windowMs?: number
}

export interface Platform {
  readonly architecture?: string
  readonly os?: string
}

export interface Toleration {
  readonly key?: string
  readonly operator?: 'equal' | 'exists'
  readonly value?: string
  readonly effect?: 'no-schedule' | 'prefer-no-schedule' | 'no-execute'
}

export interface Placement {
  /** `node.labels.zone==a`; parsed by `model/constraint.ts`. */
  readonly constraints?: readonly string[]
  readonly preferences?: readonly { readonly spread: string }[]
  /** 0 = no limit. */
  readonly maxReplicasPerNode?: number
  readonly platforms?: readonly Platform[]
  readonly tolerations?: readonly Toleration[]
}

/** A network a task joins, as the spec names it (id or name), with its names there. */
export interface NetworkAttachmentSpec {
  readonly target: string
  readonly aliases?: readonly string[]
  /** Addresses asked for, without prefix length; a plain container's alone. */
  readonly addresses?: readonly string[]
  readonly driverOptions?: Readonly<Record<string, string>>
}

/** What a task is made from: a pod. Through the Docker API there is exactly one container and no init container. */
export interface TaskTemplate {
  readonly containers: readonly ContainerSpec[]
  readonly initContainers?: readonly ContainerSpec[]
  readonly resources?: ResourceRequirements
  readonly restart?: RestartPolicy
  readonly placement?: Placement
  readonly networks?: readonly NetworkAttachmentSpec[]
  readonly logDriver?: Driver
  /** Raised to force new tasks though nothing else changed. */
  readonly forceUpdate?: number
  /** Docker's `container`, `plugin`, `attachment`; absent = container. */
  readonly runtime?: string
}

export type ServiceMode =
  | { readonly type: 'replicated'; /** Default 1. */ readonly replicas?: number }
  | { readonly type: 'global' }
  | {
      readonly type: 'replicated-job'
      /** Default 1. */
      readonly maxConcurrent?: number
      /** Default: maxConcurrent. */
      readonly totalCompletions?: number
    }
  | { readonly type: 'global-job' }

export type FailureAction = 'pause' | 'continue' | 'rollback'
export type UpdateOrder = 'stop-first' | 'start-first'

/** Absent fields mean the defaults of `model/defaults.ts`. */
export interface UpdatePolicy {
  /** Slots replaced at once; 0 = all. */
  readonly parallelism?: number
  readonly delayMs?: number
  readonly failureAction?: FailureAction
  readonly monitorMs?: number
  readonly maxFailureRatio?: number
  readonly order?: UpdateOrder
}

export type PortProtocol = 'tcp' | 'udp' | 'sctp'

/** A port as asked for. `publishedPort` 0 or absent: chosen by the allocator (ingress) or the engine (host). */
export interface PortSpec {
  readonly name?: string
  readonly protocol: PortProtocol
  readonly targetPort: number
  readonly publishedPort?: number
  readonly publishMode: 'ingress' | 'host'
}

export interface EndpointSpec {
  readonly mode?: 'vip' | 'dnsrr'
  readonly ports?: readonly PortSpec[]
}

export interface ServiceSpec {
  readonly name: string
  readonly labels: Labels
  readonly template: TaskTemplate
  readonly mode: ServiceMode
  readonly update?: UpdatePolicy
  readonly rollback?: UpdatePolicy
  readonly endpoint?: EndpointSpec
  /** Deprecated place of a service's networks; given back where it was sent. */
  readonly networks?: readonly NetworkAttachmentSpec[]
}

export type UpdateState =
  'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed'

export interface UpdateStatus {
  readonly state: UpdateState
  readonly startedAt?: Instant
  readonly completedAt?: Instant
  readonly message: string
}

export interface VirtualAddress {
  readonly networkId: NetworkId
  /** CIDR notation. */
  readonly address: string
}

/** One run of a service that runs by the clock. */
export interface CronRun {
  /** Of its tasks: `jobIteration`. */
  readonly iteration: number
  /** The time of the schedule; absent for one that a person asked for. */
  readonly scheduledAt?: Instant
  readonly startedAt: Instant
  readonly state: 'running' | 'complete' | 'failed' | 'replaced'
  readonly endedAt?: Instant
}

export interface CronStatus {
  /** All times up to here are settled. */
  readonly evaluatedUntil: Instant
  /** What `evaluatedUntil` is about: under another schedule or zone, or after a pause, times count from then on. */
  readonly rule: string
  /** Oldest first. */
  readonly runs: readonly CronRun[]
  /** A person wants a run now, whatever the schedule says. */
  readonly requested?: true
}

export interface ServiceStatus {
  /** What `service rollback` returns to. */
  readonly previousSpec?: ServiceSpec
  /** Generation of `previousSpec`'s template. */
  readonly previousGeneration?: number
  /** The generation that came of new data in a secret or config, and when. */
  readonly rotated?: { readonly generation: number; readonly at: Instant }
  readonly update?: UpdateStatus
  /** Virtual addresses and ports, from the allocator. */
  readonly endpoint?: {
    readonly spec: EndpointSpec
    readonly ports: readonly PortSpec[]
    readonly virtualAddresses: readonly VirtualAddress[]
  }
  /** Present for jobs. */
  readonly job?: { readonly iteration: number; readonly lastExecutionAt?: Instant }
  /** Asked for by a person: tasks move to better nodes until nothing is to gain. */
  readonly rebalance?: { readonly startedAt: Instant }
  /** Present for services that run by the clock. */
  readonly cron?: CronStatus
  /** A removed service goes once its tasks are gone. */
  readonly removing?: boolean
}

export interface Service {
  readonly kind: 'service'
  readonly meta: Meta<ServiceId>
  readonly spec: ServiceSpec
  readonly status: ServiceStatus
}
