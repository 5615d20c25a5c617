import type { Readable } from 'node:stream'
import type { Wait } from '#lib/wait.ts'
import type { Control, Mirror } from '#manager/control/control.ts'
import type { ClusterSpec } from '#model/cluster.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeAvailability } from '#model/node.ts'
import type { NodeUsage } from '#model/usage.ts'
import type { AttachRequest, ManagerAddress } from '#rpc/messages.ts'

/** Docker's `LocalNodeState`, and whether this node is a manager. */
export interface LocalNodeInfo {
  readonly state: 'inactive' | 'pending' | 'active' | 'error' | 'locked'
  readonly nodeId: NodeId | ''
  /** The address this node is reached at (no port). */
  readonly nodeAddress: string
  readonly isManager: boolean
  /** A manager without contact to a quorum: what it shows is as it was last known. */
  readonly isStale: boolean
  readonly error: string
  /** Managers as the agent knows them, for `docker info` on a worker. */
  readonly remoteManagers: readonly ManagerAddress[]
}

export interface InitRequest {
  readonly listenAddress: string
  readonly advertiseAddress: string
  readonly dataPathAddress: string
  readonly dataPathPort: number
  readonly defaultAddressPool: readonly string[]
  readonly subnetSize: number
  readonly forceNewCluster: boolean
  readonly spec: ClusterSpec
  readonly availability: NodeAvailability
}

export interface JoinRequest {
  readonly listenAddress: string
  readonly advertiseAddress: string
  readonly dataPathAddress: string
  readonly remoteAddresses: readonly string[]
  readonly joinToken: string
  readonly availability: NodeAvailability
}

export interface RestoreRequest {
  readonly listenAddress: string
  readonly advertiseAddress: string
  readonly dataPathAddress: string
  readonly unlockKey: string | undefined
  readonly backup: AsyncIterable<Buffer>
}

/** What a plain container of this host wants of a network. */
export type PlaceRequest = AttachRequest

/** A plain container's place on a network of the cluster. */
export interface ContainerPlace {
  readonly taskId: string
  readonly networkId: string
  /** What the engine here calls the network. */
  readonly engineNetwork: string
  /** Without prefix length. */
  readonly addresses: readonly string[]
  readonly nameserver: string
}

/** This host's own part in the cluster: what `docker swarm init | join | leave | unlock` act upon. */
export interface LocalNode {
  info(): LocalNodeInfo
  /**
   * Resolves when what this node shows is up to date: a manager that comes up has done so, and has heard of all that was
   * acknowledged before the call. But not later than after a few seconds.
   */
  settled(): Promise<void>
  init(request: InitRequest, wait: Wait): Promise<NodeId>
  join(request: JoinRequest, wait: Wait): Promise<void>
  leave(force: boolean, wait: Wait): Promise<void>
  unlock(key: string, wait: Wait): Promise<void>
  /**
   * A place for a container of this host on a network of the cluster, which is ready on the engine by then. Undefined
   * where there is no such network, or no cluster. `forbidden`: it is not for plain containers, or the address is not
   * to be had.
   */
  attach(request: PlaceRequest, wait: Wait): Promise<ContainerPlace | undefined>
  detach(taskId: string): Promise<void>
  /** The place of a container of this host on a network, as far as it is known by now. */
  placeOf(containerId: string, networkId: string): string | undefined
  /** What this host and its tasks use now; undefined: not known, or no part of a cluster. */
  usage(): NodeUsage | undefined
  /** Everything the swarm is, sealed where its managers are locked. Only on a manager. */
  backup(): Promise<Readable>
  /** The swarm of a backup, with this host as its only manager. `precondition` if the unlock key is missing or wrong. */
  restore(request: RestoreRequest, wait: Wait): Promise<NodeId>
  /**
   * The door to the cluster. Throws `unavailable` with Docker's sentence where this node is not a manager,
   * is not part of a swarm, or is locked.
   */
  control(): Control
  /** Tells what `control` would show, at once and whenever it is another: undefined while this node is no manager. */
  followView(listener: (view: Mirror | undefined) => void): Disposable
}
