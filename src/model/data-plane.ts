import type { NetworkId, NodeId, ServiceId, TaskId } from './id.ts'
import type { PortSpec } from './service.ts'

// What the hosts' data planes are told: the whole input of forwarding entries, virtual addresses, the routing mesh
// and names. Managers derive it from the stored objects; agents turn it into kernel state. Each value has a key, so
// that it travels as differences, and a change of one task is one small value however large the cluster is.

/** A host that other hosts' VXLAN packets go to. Key: the node's id. */
export interface DataPlaneHost {
  readonly nodeId: NodeId
  readonly hostname: string
  /** Of the data path, no port. */
  readonly address: string
  /** It has not been heard for too long; absent while it is. */
  readonly isDown?: true
  /** The public key of its encrypted tunnels; absent where it cannot encrypt. */
  readonly tunnelKey?: string
}

/** One address pair on one network: a task's, or that of a plain container on an attachable network. */
export interface DataPlaneMember {
  /** `<task id>/<network id>`. */
  readonly key: string
  readonly taskId: TaskId
  readonly networkId: NetworkId
  readonly nodeId: NodeId
  /** Without prefix length: one IPv4 and, where the network has it, one IPv6. */
  readonly addresses: readonly string[]
  /** '' for a plain container. */
  readonly serviceId: ServiceId | ''
  /** Names of this member alone: the container's name, its host name, `service.slot.id`. */
  readonly names: readonly string[]
  /**
   * Whether new connections and look-ups may be sent to it: it runs, is healthy, and is not about to stop. Its
   * forwarding entries are there regardless.
   */
  readonly isServing: boolean
}

/** A service on one network. Key: `<service id>/<network id>`. Its members carry its id. */
export interface DataPlaneEndpoint {
  readonly key: string
  readonly serviceId: ServiceId
  readonly networkId: NetworkId
  /** The service's name, its short name within its stack, its aliases. `tasks.<name>` follows from them. */
  readonly names: readonly string[]
  /** Without prefix length; empty for `dnsrr`, where names answer the members' addresses. */
  readonly virtualAddresses: readonly string[]
  /** Published through the routing mesh; only on the ingress network's endpoint. */
  readonly ports: readonly PortSpec[]
  /** New connections through the mesh go to members on the same host while there are any. */
  readonly prefersLocal: boolean
}
