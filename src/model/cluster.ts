import type { Instant } from '#lib/clock.ts'
import type { ClusterId } from './id.ts'
import type { AcmeFailures } from './ingress/acme.ts'
import type { IngressSettings } from './ingress/settings.ts'
import type { Meta } from './meta.ts'
import type { Driver } from './service.ts'

/** The one settings object of a cluster. Absent fields mean the default of `model/defaults.ts`. */
export interface ClusterSpec {
  readonly orchestration?: {
    /** How many old tasks of a slot are kept. Docker's default: 5. */
    readonly taskHistoryLimit?: number
  }
  readonly dispatcher?: {
    /** Milliseconds between two signs of life of an agent. */
    readonly heartbeatMs?: number
  }
  readonly ca?: {
    readonly certificateExpiryMs?: number
    readonly externalCas?: readonly ExternalCa[]
    /** Grows with each forced rotation, as Docker's `ForceRotate`. */
    readonly forceRotate?: number
  }
  readonly encryption?: { readonly autoLockManagers: boolean }
  readonly taskDefaults?: { readonly logDriver?: Driver }
  readonly raft?: {
    /** Accepted for compatibility and given back; etcd has its own. */
    readonly snapshotInterval?: number
    readonly keepOldSnapshots?: number
    readonly logEntriesForSlowFollowers?: number
    readonly electionTick?: number
    readonly heartbeatTick?: number
  }
  /** The HTTP ingress; absent: never enabled. */
  readonly ingress?: IngressSettings
  readonly scheduling?: {
    readonly strategy?: SchedulingStrategy
    readonly rebalance?: boolean
    /** `start-first` (default): a drained node's task stops once its replacement runs. `stop-first`: Docker's order. */
    readonly drainOrder?: 'start-first' | 'stop-first'
  }
}

export type SchedulingStrategy = 'spread' | 'binpack' | 'random'

export interface ExternalCa {
  readonly protocol: 'cfssl'
  readonly url: string
  readonly options?: Readonly<Record<string, string>>
  readonly caCertificate?: string
}

/** Fixed when the cluster is made. */
export interface ClusterNetworking {
  readonly defaultAddressPool: readonly string[]
  /** Prefix length of each network cut from the pool. */
  readonly subnetSize: number
  readonly dataPathPort: number
}

/** The cluster's own certificate authority. The key is sealed at rest like everything in the store. */
export interface RootCa {
  readonly certificate: string
  /** '' where an external CA signs with this root, and has its key alone. */
  readonly key: string
  /** Set while a rotation runs: the new root, and the old root's signature over it. */
  readonly rotation?: {
    readonly certificate: string
    readonly key: string
    readonly crossSigned: string
    readonly startedAt: Instant
  }
  /**
   * The previous root's signature over this one, and before it the same of that: the store's members learn of a new
   * root one after the other, and those that have not yet accept its certificates by these.
   */
  readonly crossSigned?: string
  /** Grows with each finished rotation. */
  readonly epoch: number
}

export interface JoinTokens {
  readonly worker: string
  readonly manager: string
}

export interface ClusterStatus {
  readonly networking: ClusterNetworking
  readonly rootCa: RootCa
  readonly joinTokens: JoinTokens
  /** Present while managers are locked at start; given out by `swarm unlock-key`. */
  readonly unlockKey?: string
  /** Signs what browsers are given by the dashboard, base64; made when it is first needed. */
  readonly accessKey?: string
  /** Hosts whose certificate by ACME has not come, and why. */
  readonly acmeFailures?: AcmeFailures
}

export interface Cluster {
  readonly kind: 'cluster'
  readonly meta: Meta<ClusterId>
  readonly spec: ClusterSpec
  readonly status: ClusterStatus
}
