import type { Instant } from '#lib/clock.ts'
import type { Wait } from '#lib/wait.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import type { Cluster, ClusterSpec, RootCa } from '#model/cluster.ts'
import { schedulingProblems } from '#model/scheduling.ts'
import { refuse } from '#model/validate/problem.ts'
import { signingRootOf } from '#security/root-ca.ts'
import { beginRotation } from '#security/root-rotation.ts'
import type { OutsideAuthorities } from '#security/root-rotation.ts'
import type { TokenRotation, WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'
import { theCluster } from './the-cluster.ts'
import type { ObjectWriter } from './objects.ts'

/** How new secrets are made; handed in, as they need chance and the root certificate. */
export interface TokenMaker {
  joinToken(cluster: Cluster): string
  unlockKey(): string
  /** The external authorities that a cluster of this form has. */
  outsideAuthorities(cluster: Pick<Cluster, 'spec' | 'status'>, wait: Wait): OutsideAuthorities
  /** 32 bytes, base64. */
  accessKey(): string
}

export async function updateCluster(
  writer: ObjectWriter,
  tokens: TokenMaker,
  version: number,
  spec: ClusterSpec,
  rotate: TokenRotation,
  options: WriteOptions,
): Promise<Cluster> {
  checkClusterSpec(spec)
  const cluster = theCluster(writer.mirror)
  const outside = tokens.outsideAuthorities({ spec, status: cluster.status }, options.wait)
  const rootCa = await rootCaFor(cluster, spec, rotate, writer.clock.now(), outside)
  return writer.change('cluster', theCluster(writer.mirror).meta.id, version, options, (cluster) => {
    const locked = spec.encryption?.autoLockManagers === true
    const { unlockKey: present, ...status } = cluster.status
    const unlockKey = locked
      ? present === undefined || rotate.unlockKey === true
        ? tokens.unlockKey()
        : present
      : undefined
    return {
      ...cluster,
      meta: writer.nextMeta(cluster.meta, {}, options),
      spec,
      status: {
        ...status,
        rootCa,
        joinTokens: {
          worker: rotate.worker === true ? tokens.joinToken(cluster) : cluster.status.joinTokens.worker,
          manager: rotate.manager === true ? tokens.joinToken(cluster) : cluster.status.joinTokens.manager,
        },
        ...(unlockKey === undefined ? {} : { unlockKey }),
      },
    }
  })
}

/**
 * A new root where one is asked for: by a count that has grown (`docker swarm ca --rotate`), or by a certificate that
 * is not the one that signs already.
 */
async function rootCaFor(
  cluster: Cluster,
  spec: ClusterSpec,
  { root = {} }: TokenRotation,
  now: Instant,
  outside: OutsideAuthorities,
): Promise<RootCa> {
  const { rootCa } = cluster.status
  const isForced = (spec.ca?.forceRotate ?? 0) !== (cluster.spec.ca?.forceRotate ?? 0)
  const isOther = root.certificate !== undefined && root.certificate.trim() !== signingRootOf(rootCa).trim()
  const isHandedOut = root.certificate !== undefined && root.key === undefined && rootCa.key !== ''
  if (!isForced && !isOther && !isHandedOut && root.key === undefined) return rootCa
  try {
    return await beginRotation(rootCa, root, now, outside)
  } catch (error) {
    if (isMureError(error, 'invalid'))
      throw new MureError('invalid', grpcText('InvalidArgument', error.message), { cause: error })
    throw error
  }
}

const minimumExpiryMs = 3_600_000

/** Refuses what no cluster could be: `invalid`. */
export function checkClusterSpec(spec: ClusterSpec): void {
  if (spec.scheduling !== undefined) refuse(schedulingProblems(spec.scheduling))
  const expiry = spec.ca?.certificateExpiryMs
  if (expiry !== undefined && expiry < minimumExpiryMs)
    throw new MureError('invalid', grpcText('InvalidArgument', 'minimum certificate expiry time is: 1h0m0s'))
  const heartbeat = spec.dispatcher?.heartbeatMs
  if (heartbeat !== undefined && (heartbeat < 200 || heartbeat > 600_000))
    throw new MureError(
      'invalid',
      grpcText(
        'InvalidArgument',
        heartbeat < 0
          ? 'heartbeat time period cannot be a negative duration'
          : 'the heartbeat period must be between 200ms and 10m0s',
      ),
    )
  const limit = spec.orchestration?.taskHistoryLimit
  if (limit !== undefined && limit < -1)
    throw new MureError('invalid', grpcText('InvalidArgument', 'the task history limit must not be negative'))
}
