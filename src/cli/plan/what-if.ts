import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { Control } from '#manager/control/control.ts'
import { createControl } from '#manager/control/create-control.ts'
import { digestOfSecret } from '#manager/control/public-state.ts'
import { difference, snapshotOf } from '#manager/simulation/difference.ts'
import type { Difference, Snapshot } from '#manager/simulation/difference.ts'
import { SimulatedCluster } from '#manager/simulation/simulated-cluster.ts'
import { MureError } from '#lib/errors.ts'
import type { StoredObject } from '#model/objects.ts'
import type { DaemonClient } from '../client.ts'

/**
 * A copy of the live cluster, at rest: what is under way there has come to its end here, so that what is seen after a
 * change is that change's own doing. Nothing here reaches the cluster itself.
 */
export class WhatIf implements AsyncDisposable {
  readonly cluster: SimulatedCluster
  readonly control: Control
  readonly #before: Snapshot

  private constructor(cluster: SimulatedCluster) {
    this.cluster = cluster
    this.control = controlOf(cluster)
    this.#before = snapshotOf(cluster.mirror)
  }

  static async of(client: DaemonClient): Promise<WhatIf> {
    const { objects } = await client.json<{ objects: StoredObject[] }>({
      method: 'GET',
      path: '/mure/v1/state',
    })
    const cluster = await SimulatedCluster.of({
      objects,
      now: systemClock.now(),
      random: systemRandom,
      schedulesRest: true,
    })
    await cluster.settle()
    return new WhatIf(cluster)
  }

  /** What has become different since the copy was made. */
  async outcome(): Promise<Difference> {
    await this.cluster.settle()
    return difference(this.#before, snapshotOf(this.cluster.mirror))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]()
  }
}

const unreachable = () => Promise.reject(new MureError('unavailable', 'a plan reaches no host'))

function controlOf(cluster: SimulatedCluster): Control {
  const control = createControl({
    store: cluster.userStore,
    mirror: cluster.mirror,
    clock: cluster.clock,
    random: systemRandom,
    tokens: {
      joinToken: () => '',
      unlockKey: () => '',
      accessKey: () => '',
      outsideAuthorities: () => ({ signsWith: unreachable, crossSign: unreachable }),
    },
    relay: unreachable,
    pushImage: () => {
      throw new MureError('unavailable', 'a plan reaches no host')
    },
    usage: unreachable,
    usageOf: unreachable,
  })
  // The data of secrets is not here, but for a digest: other data is compared by its own.
  const updateSecret: Control['updateSecret'] = (id, version, spec, options) =>
    control.updateSecret(id, version, { ...spec, data: digestOfSecret(spec.data) }, options)
  return { ...control, updateSecret }
}
