import { MureError } from '#lib/errors.ts'
import type { Cluster, ClusterSpec } from '#model/cluster.ts'
import type { View } from '#store/mirror/view.ts'
import type { TokenRotation, WriteOptions } from './control.ts'
import type { ObjectWriter } from './objects.ts'

/** How new secrets are made; handed in, as they need chance and the root certificate. */
export interface TokenMaker {
  joinToken(cluster: Cluster): string
  unlockKey(): string
}

export function theCluster(view: View): Cluster {
  for (const cluster of view.list('cluster')) return cluster
  throw new MureError('unavailable', 'the cluster is not known yet; try again in a moment')
}

export function updateCluster(
  writer: ObjectWriter,
  tokens: TokenMaker,
  version: number,
  spec: ClusterSpec,
  rotate: TokenRotation,
  options: WriteOptions,
): Promise<Cluster> {
  check(spec)
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
        joinTokens: {
          worker: rotate.worker === true ? tokens.joinToken(cluster) : cluster.status.joinTokens.worker,
          manager: rotate.manager === true ? tokens.joinToken(cluster) : cluster.status.joinTokens.manager,
        },
        ...(unlockKey === undefined ? {} : { unlockKey }),
      },
    }
  })
}

const minimumExpiryMs = 3_600_000

function check(spec: ClusterSpec): void {
  const expiry = spec.ca?.certificateExpiryMs
  if (expiry !== undefined && expiry < minimumExpiryMs)
    throw new MureError(
      'invalid',
      'rpc error: code = InvalidArgument desc = minimum certificate expiry time is: 1h0m0s',
    )
  const heartbeat = spec.dispatcher?.heartbeatMs
  if (heartbeat !== undefined && (heartbeat < 200 || heartbeat > 600_000))
    throw new MureError(
      'invalid',
      'rpc error: code = InvalidArgument desc = the heartbeat period must be between 200ms and 10m0s',
    )
  const limit = spec.orchestration?.taskHistoryLimit
  if (limit !== undefined && limit < -1)
    throw new MureError(
      'invalid',
      'rpc error: code = InvalidArgument desc = the task history limit must not be negative',
    )
}
