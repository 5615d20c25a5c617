import type { Instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { create } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { ClusterNetworking, ClusterSpec, RootCa } from '#model/cluster.ts'
import { newId } from '#model/id.ts'
import type { ClusterId, NetworkId, NodeId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { ManagerStatus, NodeAvailability } from '#model/node.ts'

export interface FirstNode {
  readonly id: NodeId
  readonly availability: NodeAvailability
  readonly address: string
  readonly publicKeyDigest: string
  readonly manager: ManagerStatus
}

/** The objects of a cluster of one: itself, its first node, and the network of the routing mesh. */
export function newClusterObjects(
  options: {
    readonly id: ClusterId
    readonly spec: ClusterSpec
    readonly networking: ClusterNetworking
    readonly rootCa: RootCa
    readonly joinTokens: { readonly worker: string; readonly manager: string }
    readonly unlockKey: string | undefined
    readonly node: FirstNode
  },
  env: { now: Instant; random: Random },
): Change[] {
  const { now } = env
  return [
    create({
      kind: 'cluster',
      meta: newMeta(options.id, now, { name: 'default' }),
      spec: options.spec,
      status: {
        networking: options.networking,
        rootCa: options.rootCa,
        joinTokens: options.joinTokens,
        ...(options.unlockKey === undefined ? {} : { unlockKey: options.unlockKey }),
      },
    }),
    create({
      kind: 'node',
      meta: newMeta(options.node.id, now),
      spec: { name: '', labels: {}, role: 'manager', availability: options.node.availability },
      status: {
        state: 'unknown',
        message: '',
        address: options.node.address,
        role: 'manager',
        membership: 'accepted',
        publicKeyDigest: options.node.publicKeyDigest,
        manager: options.node.manager,
      },
    }),
    create({
      kind: 'network',
      meta: newMeta(newId<NetworkId>(env.random), now, { name: 'ingress' }),
      spec: {
        name: 'ingress',
        labels: {},
        driver: { name: 'overlay' },
        // So that published ports answer over IPv6 too.
        ipv6: true,
        internal: false,
        attachable: false,
        ingress: true,
        ipam: { driver: { name: 'default' }, ranges: [] },
      },
      status: { ranges: [] },
    }),
  ]
}
