import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import { certificateExpiryMs, heartbeatMs, networkingDefaults, taskHistoryLimit } from '#model/defaults.ts'
import type { Cluster, ClusterNetworking, ClusterSpec } from '#model/cluster.ts'
import type { NodeDescription } from '#model/node.ts'
import { Fields, nanoseconds, omitEmpty, oneOf } from './fields.ts'
import { metaFromModel } from './meta.ts'
import { driverFromModel, driverToModel } from './template.ts'

/** swarmkit's own defaults, shown where nothing was said; etcd has no use for them. */
const raftDefaults = {
  snapshotInterval: 10_000,
  keepOldSnapshots: 0,
  logEntriesForSlowFollowers: 500,
  electionTick: 10,
  heartbeatTick: 1,
}

/** Docker's swarm `Spec`. What it does not say stays as it was. */
export function clusterSpecToModel(body: unknown, before: ClusterSpec): ClusterSpec {
  const from = new Fields(body, 'Spec')
  const name = from.string('Name')
  if (name !== undefined && name !== '' && name !== 'default')
    throw new MureError('invalid', 'swarm spec must be named "default"')
  // Nothing of a swarm is found by its labels: they are looked at, and not kept.
  from.stringMap('Labels')
  const ca = from.object('CAConfig')
  const raft = from.object('Raft')
  const encryption = from.object('EncryptionConfig')
  const logDriver = from.object('TaskDefaults')?.object('LogDriver')
  return defined({
    ...before,
    orchestration: {
      ...before.orchestration,
      ...defined({ taskHistoryLimit: from.object('Orchestration')?.integer('TaskHistoryRetentionLimit') }),
    },
    dispatcher: {
      ...before.dispatcher,
      ...defined({ heartbeatMs: positive(from.object('Dispatcher')?.duration('HeartbeatPeriod')) }),
    },
    ca: {
      ...before.ca,
      ...defined({
        certificateExpiryMs: positive(ca?.duration('NodeCertExpiry')),
        forceRotate: ca?.integer('ForceRotate'),
        externalCas: ca?.objects('ExternalCAs', (external) => ({
          protocol: protocolOf(external),
          url: external.string('URL') ?? '',
          ...defined({
            options: external.stringMap('Options'),
            caCertificate: omitEmpty(external.string('CACert')),
          }),
        })),
      }),
    },
    raft: {
      ...before.raft,
      ...defined({
        snapshotInterval: positive(raft?.integer('SnapshotInterval')),
        keepOldSnapshots: raft?.integer('KeepOldSnapshots'),
        logEntriesForSlowFollowers: positive(raft?.integer('LogEntriesForSlowFollowers')),
        electionTick: positive(raft?.integer('ElectionTick')),
        heartbeatTick: positive(raft?.integer('HeartbeatTick')),
      }),
    },
    encryption:
      encryption === undefined
        ? before.encryption
        : { autoLockManagers: encryption.boolean('AutoLockManagers') ?? false },
    taskDefaults: logDriver === undefined ? before.taskDefaults : { logDriver: driverToModel(logDriver) },
  })
}

function protocolOf(external: Fields): 'cfssl' {
  const protocol = external.string('Protocol')
  return oneOf(protocol, ['cfssl'] as const, `invalid protocol: "${protocol ?? ''}"`) ?? 'cfssl'
}

const positive = (value: number | undefined): number | undefined => (value === 0 ? undefined : value)

export function clusterSpecFromModel(spec: ClusterSpec): object {
  const raft = { ...raftDefaults, ...spec.raft }
  return {
    Name: 'default',
    Labels: {},
    Orchestration: { TaskHistoryRetentionLimit: taskHistoryLimit(spec) },
    Raft: {
      SnapshotInterval: raft.snapshotInterval,
      KeepOldSnapshots: raft.keepOldSnapshots,
      LogEntriesForSlowFollowers: raft.logEntriesForSlowFollowers,
      ElectionTick: raft.electionTick,
      HeartbeatTick: raft.heartbeatTick,
    },
    Dispatcher: { HeartbeatPeriod: nanoseconds(heartbeatMs(spec)) },
    CAConfig: defined({
      NodeCertExpiry: nanoseconds(certificateExpiryMs(spec)),
      ExternalCAs: omitEmpty(
        spec.ca?.externalCas?.map((external) =>
          defined({
            Protocol: external.protocol,
            URL: external.url,
            Options: omitEmpty(external.options),
            CACert: omitEmpty(external.caCertificate),
          }),
        ),
      ),
      ForceRotate: omitEmpty(spec.ca?.forceRotate),
    }),
    TaskDefaults: defined({
      LogDriver: spec.taskDefaults?.logDriver && driverFromModel(spec.taskDefaults.logDriver),
    }),
    EncryptionConfig: { AutoLockManagers: spec.encryption?.autoLockManagers ?? false },
  }
}

export interface RootInfo {
  readonly tls: NonNullable<NodeDescription['tls']>
}

/** `ClusterInfo`: what `docker info` shows; no secret in it. */
export function clusterInfoFromModel(cluster: Cluster, root: RootInfo): object {
  const { networking } = cluster.status
  return {
    ...metaFromModel(cluster.meta),
    Spec: clusterSpecFromModel(cluster.spec),
    TLSInfo: {
      TrustRoot: root.tls.trustRoot,
      CertIssuerSubject: root.tls.certificateIssuerSubject,
      CertIssuerPublicKey: root.tls.certificateIssuerPublicKey,
    },
    RootRotationInProgress: cluster.status.rootCa.rotation !== undefined,
    DefaultAddrPool: networking.defaultAddressPool,
    SubnetSize: shownSubnetSize(networking),
    DataPathPort: networking.dataPathPort,
  }
}

/** Where nobody chose a size, Docker's word for that: clients compare with it. */
function shownSubnetSize({ subnetSize, defaultAddressPool }: ClusterNetworking): number {
  const isChosen =
    subnetSize !== networkingDefaults.subnetSize ||
    defaultAddressPool.join() !== networkingDefaults.defaultAddressPool.join()
  return isChosen ? subnetSize : 24
}

/** `GET /swarm`: with the join tokens. */
export const swarmFromModel = (cluster: Cluster, root: RootInfo): object => ({
  ...clusterInfoFromModel(cluster, root),
  JoinTokens: { Worker: cluster.status.joinTokens.worker, Manager: cluster.status.joinTokens.manager },
})
