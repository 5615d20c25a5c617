import type { Instant } from '#lib/clock.ts'
import type { DataPlaneEndpoint, DataPlaneHost, DataPlaneMember } from '#model/data-plane.ts'
import type { NodeId, TaskId } from '#model/id.ts'
import type { IngressConfiguration } from '#model/ingress/configuration.ts'
import type { Network } from '#model/network.ts'
import type { NodeDescription, NodeRole } from '#model/node.ts'
import type { Config, Secret } from '#model/secret.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { ClusterUsage, NodeUsage, UsagePoint } from '#model/usage.ts'

/** A manager as agents know it: tried in random order, kept on disk, replaced whole by each `managers` message. */
export interface ManagerAddress {
  readonly nodeId: NodeId
  /** host:port of the cluster RPC. */
  readonly address: string
}

// --- The session: one HTTP/2 stream, messages both ways -------------------------------------------------

/** What an agent says. */
export type AgentMessage =
  | {
      readonly type: 'hello'
      readonly description: NodeDescription
      /** The address this node wants to be reached at; '' = the one that the manager sees. */
      readonly advertiseAddress: string
      readonly dataPathAddress?: string
      /** Where the node's own cluster RPC listens: host:port. */
      readonly listenAddress: string
      /** Grows with each session of this agent: of two sessions the later is the real one. */
      readonly bootEpoch: number
    }
  | { readonly type: 'beat'; readonly at: number }
  | { readonly type: 'description'; readonly description: NodeDescription }
  | { readonly type: 'status'; readonly updates: readonly TaskStatusUpdate[] }
  /** "I have applied everything up to this sequence." */
  | { readonly type: 'applied'; readonly sequence: number }
  /** The same of `data-plane` messages: the kernel of this host now does so. */
  | { readonly type: 'data-plane-applied'; readonly sequence: number }
  /** "My process stops, and is expected back within this time: its silence means nothing until then." */
  | { readonly type: 'farewell'; readonly backWithinMs: number }
  /** What the host and its tasks use now. One that is lost is no matter. */
  | { readonly type: 'usage'; readonly usage: NodeUsage }

export interface TaskStatusUpdate {
  readonly taskId: TaskId
  readonly status: TaskStatus
}

/** What a manager says. */
export type ManagerMessage =
  | {
      readonly type: 'welcome'
      readonly nodeId: NodeId
      readonly heartbeatMs: number
      readonly managers: readonly ManagerAddress[]
    }
  | { readonly type: 'heartbeat'; readonly heartbeatMs: number }
  | { readonly type: 'managers'; readonly managers: readonly ManagerAddress[] }
  | ({ readonly type: 'assignments' } & Assignments)
  | ({ readonly type: 'data-plane' } & DataPlaneChange)
  /** Sent whole whenever it changes; without a configuration: this node runs no HTTP ingress. */
  | { readonly type: 'ingress'; readonly configuration?: IngressConfiguration }
  /**
   * "No host sends anything new to these tasks any more": the stop signal of a task that has an address waits for
   * this, but only for a short while.
   */
  | { readonly type: 'withdrawn'; readonly taskIds: readonly TaskId[] }
  /** "Your status updates of these tasks are stored." */
  | { readonly type: 'stored'; readonly taskIds: readonly TaskId[] }
  /** The node should become this; it then asks for a certificate of that role. */
  | { readonly type: 'role'; readonly role: NodeRole }
  /** Roots to trust from now on, and whether the own certificate must be renewed at once. */
  | { readonly type: 'trust'; readonly certificates: string; readonly renew: boolean }
  /** The agent's farewell is known. */
  | { readonly type: 'farewell-heard' }
  /** Open a new stream `POST /v1/relay/<id>` to this manager and serve the request on it. */
  | { readonly type: 'relay'; readonly id: string; readonly request: RelayRequest }
  /** The node was removed from the cluster: stop its tasks and forget. */
  | { readonly type: 'removed' }

/**
 * The node's whole set (`full`) or a difference to the message before (`sequence - 1`). An agent that
 * misses one asks again by opening a new session.
 */
export interface Assignments {
  readonly full: boolean
  readonly sequence: number
  readonly tasks: Difference<Task>
  readonly secrets: Difference<Secret>
  readonly configs: Difference<Config>
  readonly networks: Difference<Network>
}

/**
 * What this host's data plane has to know (of networks that something here uses, and of the routing mesh), whole
 * (`full`) or as a difference to the message before.
 */
export interface DataPlaneChange {
  readonly full: boolean
  readonly sequence: number
  /** Of the tunnels, UDP. */
  readonly port: number
  readonly hosts: Difference<DataPlaneHost>
  readonly members: Difference<DataPlaneMember>
  readonly endpoints: Difference<DataPlaneEndpoint>
}

export interface Difference<T> {
  readonly put: readonly T[]
  readonly remove: readonly string[]
}

/** A request to a node's engine that comes through a manager: the head of an HTTP request. */
export interface RelayRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** The path of a relay that is not for the engine: the host's networks are examined over it. */
export const examinationPath = '/mure/examine-networks'

// --- Unary calls ----------------------------------------------------------------------------------------

/** `GET /v1/ca/root`: anyone. */
export interface RootCertificateAnswer {
  readonly certificates: string
}

/** `POST /v1/ca/certificate`: with a token, or with a certificate (also an expired one) for the same key. */
export interface CertificateRequest {
  readonly csr: string
  readonly token?: string
  /** Only on a first join. */
  readonly availability?: 'active' | 'pause' | 'drain'
}
export interface CertificateAnswer {
  readonly nodeId: NodeId
  readonly role: NodeRole
  readonly certificate: string
  readonly trust: string
  /** Of a first certificate: where managers are reached by other hosts. */
  readonly managers?: readonly string[]
}

/** `POST /v1/members`: managers only. The caller's etcd member is added as a learner and later made a voter. */
export interface MemberJoinRequest {
  readonly peerUrl: string
  /** For the certificate by which the member will speak to its peers. */
  readonly peerCsr: string
  readonly address: string
}
export interface MemberJoinAnswer {
  readonly memberName: string
  /** etcd's `--initial-cluster`. */
  readonly initialCluster: string
  readonly peerCertificate: string
  /** The keys that objects are sealed with in the store. */
  readonly dataKeys: readonly { readonly id: number; readonly key: string }[]
  /** What a manager's keys are sealed under, while the cluster locks its managers. */
  readonly unlockKey?: string
}

/** `POST /v1/attachments`: a node asks for a place for one of its plain containers. */
export interface AttachRequest {
  /** By id or name. */
  readonly network: string
  /** The container's, by which others on the network find it; '' until it has one. */
  readonly name: string
  /** Absent for a container that is about to be made. */
  readonly containerId?: string
  readonly aliases?: readonly string[]
  /** Without prefix length; what is not asked for is chosen. */
  readonly addresses?: readonly string[]
}
export interface AttachAnswer {
  readonly taskId: TaskId
  readonly network: Network
  readonly addresses: readonly string[]
}
/** `POST /v1/attachments/release`. */
export interface ReleaseRequest {
  readonly taskId: TaskId
}

/** `POST /v1/usage`: managers only. What the agents of the manager that is asked have said of their use. */
export interface UsageQuestion {
  /** A node or a task, for its last hour; absent: the newest of all nodes. */
  readonly id?: string
}
export interface UsageAnswer {
  readonly latest: ClusterUsage['nodes']
  readonly points: readonly UsagePoint[]
}

/** `POST /v1/beats`: each manager tells the leader which agents it has heard, a few times a second. */
export interface BeatsReport {
  readonly managerId: NodeId
  readonly nodes: readonly {
    readonly nodeId: NodeId
    readonly ageMs: number
    readonly bootEpoch: number
    /** It said farewell, and is expected back within so long. */
    readonly backWithinMs?: number
  }[]
  readonly sentAt: Instant
  /** The revision up to which all of this manager's agents have applied their data plane. */
  readonly appliedRevision: number
  /** Whether its own member of the store keeps up with the others. */
  readonly storeCurrent: boolean
}
/** The same of all other managers together. */
export interface BeatsAnswer {
  readonly appliedRevision: number
}
