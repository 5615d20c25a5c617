import type { Instant } from '#lib/clock.ts'
import type { NodeId } from './id.ts'
import type { IngressNodeState } from './ingress/configuration.ts'
import type { Labels, Meta } from './meta.ts'
import type { GenericResource, Resources } from './resources.ts'

export type NodeRole = 'worker' | 'manager'
export type NodeAvailability = 'active' | 'pause' | 'drain'
export type NodeState = 'unknown' | 'down' | 'ready' | 'disconnected'

/** Kubernetes' taint: keeps tasks away that do not tolerate it. */
export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: 'no-schedule' | 'prefer-no-schedule' | 'no-execute'
}

/** What a person wants of a node. All mutable. */
export interface NodeSpec {
  /** Usually ''; nodes are known by their hostname. */
  readonly name: string
  readonly labels: Labels
  /** The wish; what the node is now is `status.role`. */
  readonly role: NodeRole
  readonly availability: NodeAvailability
  readonly taints?: readonly Taint[]
}

/** What an agent says of its host when a session starts, and again when it changes. */
export interface NodeDescription {
  readonly hostname: string
  readonly platform: { readonly architecture: string; readonly os: string }
  readonly resources: Resources
  readonly engine: {
    readonly version: string
    readonly labels: Labels
    readonly plugins: readonly { readonly type: string; readonly name: string }[]
    /** Why the engine does not answer; absent while it does. The rest of the description is then as last seen. */
    readonly problem?: string
  }
  readonly genericResources?: readonly GenericResource[]
  /** Where the host's own routes lead, CIDR notation, sorted; the cluster's networks keep clear of them. */
  readonly routes?: readonly string[]
  readonly mureVersion: string
  /** The public key of its encrypted tunnels; absent where the host cannot encrypt. */
  readonly tunnelKey?: string
  /** Present while the node runs the HTTP ingress. */
  readonly ingress?: IngressNodeState
  /** Root certificates the node trusts and the issuer of its own, base64 DER: how CA rotation is followed. */
  readonly tls?: {
    readonly trustRoot: string
    readonly certificateIssuerSubject: string
    readonly certificateIssuerPublicKey: string
  }
}

export type Reachability = 'unknown' | 'unreachable' | 'reachable'

/** Present while the node is a manager. */
export interface ManagerStatus {
  /** The etcd member's id, hexadecimal; '' while it has not joined. */
  readonly memberId: string
  /** host:port other nodes reach its cluster RPC at. */
  readonly address: string
  /** The etcd peer URL. */
  readonly peerUrl: string
  readonly leader: boolean
  readonly reachability: Reachability
}

export interface NodeStatus {
  readonly state: NodeState
  /** Why, in words; '' when ready. */
  readonly message: string
  /** When it was found down; says nothing while it is not. */
  readonly downSince?: Instant
  /** The address the node is reached at (no port). */
  readonly address: string
  /** The address of the data plane where it differs (`--data-path-addr`). */
  readonly dataPathAddress?: string
  readonly role: NodeRole
  /** What happened to the membership: a node joins accepted. */
  readonly membership: 'pending' | 'accepted'
  readonly description?: NodeDescription
  readonly manager?: ManagerStatus
  /** The manager that holds the node's session, and since when. */
  readonly session?: { readonly managerId: NodeId; readonly startedAt: Instant }
  /** Bad once in a while is normal; the scheduler counts it. */
  readonly certificateExpiresAt?: Instant
  /** SHA-256 of the public key of the node's certificate (hex): a node proves itself by its key. */
  readonly publicKeyDigest: string
}

export interface Node {
  readonly kind: 'node'
  readonly meta: Meta<NodeId>
  readonly spec: NodeSpec
  readonly status: NodeStatus
}
