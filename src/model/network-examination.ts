import type { NodeId } from './id.ts'

// What `mure network doctor` asks of the hosts and is told by them.

/** The network identifier of the tunnels that are only there while the hosts are examined: below all others. */
export const probeVxlanId = 4_095

/** A host as it is reached by its peers while they are examined. */
export interface ProbePeer {
  readonly nodeId: NodeId
  /** Of the data path, no port. */
  readonly address: string
  /** 1… : its address within the tunnel follows from it. */
  readonly index: number
}

/** What a host is to do. */
export interface ExaminationOrder {
  readonly repair: boolean
  readonly own: ProbePeer
  readonly peers: readonly ProbePeer[]
}

/** Something in a host's kernel that is not as it should be. */
export interface KernelDifference {
  /** The network's name; '' for what belongs to none. */
  readonly network: string
  readonly what: string
}

/** How a host reaches another through the tunnels. */
export interface PathReport {
  readonly to: NodeId
  /** A packet came back. */
  readonly isReached: boolean
  /** A packet as large as the networks' MTU came back, unfragmented. */
  readonly isWhole: boolean
  /** Absent where nothing came back. */
  readonly roundTripMs?: number
}

export interface HostReport {
  readonly networks: number
  readonly differences: readonly KernelDifference[]
  /** Those that a repair did not end. Absent if none was asked for. */
  readonly remaining?: readonly KernelDifference[]
  /** Of the packets that paths were tried with: what the underlay must carry. */
  readonly packetBytes: number
  readonly paths: readonly PathReport[]
  /** Why the paths were not tried. */
  readonly problem?: string
}

/** What goes over the stream between a manager and a host, a line of JSON each. */
export type ExaminationMessage =
  | ({ readonly type: 'order' } & ExaminationOrder)
  | { readonly type: 'ready' }
  | { readonly type: 'probe' }
  | ({ readonly type: 'report' } & HostReport)

/** All of it together. */
export interface NetworkExamination {
  readonly port: number
  readonly hosts: readonly (Partial<HostReport> & {
    readonly nodeId: NodeId
    readonly hostname: string
    /** Why nothing is known of it. */
    readonly unreachable?: string
  })[]
}
