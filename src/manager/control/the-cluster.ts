import { MureError } from '#lib/errors.ts'
import type { Cluster } from '#model/cluster.ts'
import type { View } from '#store/mirror/view.ts'

export function theCluster(view: View): Cluster {
  for (const cluster of view.list('cluster')) return cluster
  throw new MureError('unavailable', 'the cluster is not known yet; try again in a moment')
}
