import type { Cluster, ClusterSpec } from '#model/cluster.ts'
import type { ConfigId, NetworkId, NodeId, SecretId, ServiceId, TaskId } from '#model/id.ts'
import type { NetworkExamination } from '#model/network-examination.ts'
import type { Network, NetworkSpec } from '#model/network.ts'
import type { Node, NodeSpec } from '#model/node.ts'
import type { Config, ConfigSpec, Secret, SecretSpec } from '#model/secret.ts'
import type { Service, ServiceSpec } from '#model/service.ts'
import type { ClusterUsage, UsagePoint } from '#model/usage.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { Duplex } from 'node:stream'
import type { RelayRequest } from '#rpc/messages.ts'
import type { Wait } from '#lib/wait.ts'

import type { PlacementReport } from '../explain/placement-report.ts'
import type { RebalanceReport } from './rebalance.ts'
import type { ImagePush, ImagePushReport } from './images.ts'
import type { AttachmentRequest, ContainerAttachment } from './attachments.ts'
import type { IngressChange, IngressState } from './ingress.ts'
import type { IngressSettings } from '#model/ingress/settings.ts'

export type { ContainerAttachment } from './attachments.ts'
export type { PlacementReport } from '../explain/placement-report.ts'
export type { RebalanceReport } from './rebalance.ts'
export type { Mirror, View, ViewListener } from '#store/mirror/view.ts'

/** What came with a write beside the spec. */
export interface WriteOptions {
  readonly wait: Wait
  /** `meta.dialect` to keep with the object. */
  readonly dialect?: Readonly<Record<string, unknown>>
}

export interface TokenRotation {
  readonly worker?: boolean
  readonly manager?: boolean
  readonly unlockKey?: boolean
  /** A root that a person brings, PEM, with its key. Kept as the cluster's root alone: no spec gives it back. */
  readonly root?: { readonly certificate?: string; readonly key?: string }
}

/**
 * The one door: what users intend enters here and nowhere else. Each call validates, resolves names to ids,
 * checks the version and answers only once the store has the change and this manager's mirror shows it.
 *
 * Versions: a write is refused (`conflict`, "update out of sequence") only if the *spec* has changed since
 * the version that the caller read; a status that moved in between is no reason.
 *
 * Errors: `invalid` (with the field), `not-found`, `already-exists`, `conflict`, `precondition`,
 * `unavailable` (no quorum).
 */
export interface Control {
  readonly view: Mirror

  updateCluster(
    version: number,
    spec: ClusterSpec,
    rotate: TokenRotation,
    options: WriteOptions,
  ): Promise<Cluster>

  /** The HTTP ingress as it is now. */
  ingress(): IngressState
  /** What the change does not name stays as it was. */
  updateIngress(change: IngressChange, options: WriteOptions): Promise<IngressSettings>
  /**
   * The key by which managers know what one of them has given to a browser. Made when it is first asked for; `rotate`:
   * another one, so that everything given so far is void.
   */
  accessKey(options: { readonly wait: Wait; readonly rotate?: boolean }): Promise<Buffer>

  updateNode(id: NodeId, version: number, spec: NodeSpec, options: WriteOptions): Promise<Node>
  /** Refused for a node that is not down, unless forced; and for a manager that was not demoted first. */
  removeNode(id: NodeId, force: boolean, options: WriteOptions): Promise<void>

  createService(spec: ServiceSpec, options: WriteOptions): Promise<Service>
  updateService(id: ServiceId, version: number, spec: ServiceSpec, options: WriteOptions): Promise<Service>
  /** Back to the spec before the last update. */
  rollbackService(id: ServiceId, version: number, options: WriteOptions): Promise<Service>
  removeService(id: ServiceId, options: WriteOptions): Promise<void>
  /** A run now of a service that runs by the clock. `precondition` while another excludes it. */
  runCron(id: ServiceId, options: WriteOptions): Promise<Service>

  createNetwork(spec: NetworkSpec, options: WriteOptions): Promise<Network>
  removeNetwork(id: NetworkId, options: WriteOptions): Promise<void>

  /** A place for a plain container of a node on an attachable network. */
  attachContainer(request: AttachmentRequest, wait: Wait): Promise<ContainerAttachment>
  releaseAttachment(taskId: TaskId, wait: Wait): Promise<void>

  /** Compares every host's kernel with what it should be, and tries the ways between all hosts. */
  examineNetworks(options: { readonly repair: boolean; readonly wait: Wait }): Promise<NetworkExamination>

  createSecret(spec: SecretSpec, options: WriteOptions): Promise<Secret>
  updateSecret(id: SecretId, version: number, spec: SecretSpec, options: WriteOptions): Promise<Secret>
  removeSecret(id: SecretId, options: WriteOptions): Promise<void>

  createConfig(spec: ConfigSpec, options: WriteOptions): Promise<Config>
  updateConfig(id: ConfigId, version: number, spec: ConfigSpec, options: WriteOptions): Promise<Config>
  removeConfig(id: ConfigId, options: WriteOptions): Promise<void>

  /**
   * Moves tasks to nodes that suit them better, within each service's update policy; or says only what would move.
   * The leader goes on with it until nothing is to gain.
   */
  rebalance(request: { readonly dryRun: boolean; readonly wait: Wait }): Promise<RebalanceReport>

  /** Where the tasks of a service are, or the one task is, and why: by id, name or the beginning of an id. */
  explain(wanted: string): PlacementReport
  /** What nodes and tasks use now, as far as managers have heard; and the last hour of one of them. */
  usage(wait: Wait): Promise<ClusterUsage>
  usageOf(id: string, wait: Wait): Promise<readonly UsagePoint[]>

  /** A connection to the engine of any node of the cluster, carrying one HTTP request. `unavailable` if the node is down. */
  relay(nodeId: NodeId, request: RelayRequest, wait: Wait): Promise<Duplex>

  /** Puts an image of one node on others. Reports each as it is done; what fails at one is no matter to the rest. */
  pushImage(push: ImagePush, signal: AbortSignal): AsyncIterable<ImagePushReport>
}
