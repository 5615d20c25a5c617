import { defined } from '#lib/defined.ts'
import { MureError } from '#lib/errors.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { NodeAvailability } from '#model/node.ts'
import { done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { clusterSpecToModel, swarmFromModel } from '../convert/cluster.ts'
import { Fields, omitEmpty, oneOf } from '../convert/fields.ts'
import type { FacadeParts } from '../facade.ts'
import { bodyOf, isTrue, versionOf, waitOf } from './support.ts'
import { rootInfo } from './system.ts'

/** Joining waits for other hosts; the CLI itself gives up after 20 s. */
const membershipTimeoutMs = 60_000

export function registerClusterRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/swarm', async () => {
    const { view } = node.control()
    return ok(swarmFromModel(theCluster(view), rootInfo(view)))
  })

  router.add('POST', '/swarm/init', async (request) => {
    const from = new Fields(await bodyOf(request), 'InitRequest')
    using wait = waitOf(request, membershipTimeoutMs)
    const subnetSize = from.integer('SubnetSize') ?? 0
    const dataPathPort = from.integer('DataPathPort') ?? 0
    if (dataPathPort !== 0 && (dataPathPort < 1024 || dataPathPort > 49_151))
      throw new MureError(
        'invalid',
        `invalid data path port ${String(dataPathPort)}: must be between 1024 and 49151`,
      )
    const pools = from.strings('DefaultAddrPool') ?? []
    return ok(
      await node.init(
        {
          listenAddress: from.string('ListenAddr') ?? '',
          advertiseAddress: from.string('AdvertiseAddr') ?? '',
          dataPathAddress: from.string('DataPathAddr') ?? '',
          dataPathPort: dataPathPort === 0 ? networkingDefaults.dataPathPort : dataPathPort,
          defaultAddressPool: pools.length === 0 ? networkingDefaults.defaultAddressPool : pools,
          // The CLI always sends its own default of 24, which holds 253 tasks; it means something only with a pool.
          subnetSize: subnetSize === 0 || pools.length === 0 ? networkingDefaults.subnetSize : subnetSize,
          forceNewCluster: from.boolean('ForceNewCluster') ?? false,
          spec: clusterSpecToModel(from.raw('Spec') ?? {}, {}),
          availability: availabilityOf(from),
        },
        wait,
      ),
    )
  })

  router.add('POST', '/swarm/join', async (request) => {
    const from = new Fields(await bodyOf(request), 'JoinRequest')
    using wait = waitOf(request, membershipTimeoutMs)
    const remoteAddresses = from.strings('RemoteAddrs') ?? []
    if (remoteAddresses.length === 0)
      throw new MureError('invalid', 'at least 1 RemoteAddr is required to join')
    await node.join(
      {
        listenAddress: from.string('ListenAddr') ?? '',
        advertiseAddress: from.string('AdvertiseAddr') ?? '',
        dataPathAddress: from.string('DataPathAddr') ?? '',
        remoteAddresses,
        joinToken: from.string('JoinToken') ?? '',
        availability: availabilityOf(from),
      },
      wait,
    )
    return done()
  })

  router.add('POST', '/swarm/leave', async (request) => {
    using wait = waitOf(request, membershipTimeoutMs)
    await node.leave(isTrue(request.query.get('force')), wait)
    return done()
  })

  router.add('POST', '/swarm/update', async (request) => {
    const control = node.control()
    const body = await bodyOf(request)
    const spec = clusterSpecToModel(body, theCluster(control.view).spec)
    const ca = new Fields(body, 'Spec').object('CAConfig')
    using wait = waitOf(request)
    await control.updateCluster(
      versionOf(request),
      spec,
      {
        worker: isTrue(request.query.get('rotateWorkerToken')),
        manager: isTrue(request.query.get('rotateManagerToken')),
        unlockKey: isTrue(request.query.get('rotateManagerUnlockKey')),
        root: defined({
          certificate: omitEmpty(ca?.string('SigningCACert')),
          key: omitEmpty(ca?.string('SigningCAKey')),
        }),
      },
      { wait },
    )
    return done()
  })

  router.add('GET', '/swarm/unlockkey', async () => {
    const { view } = node.control()
    return ok({ UnlockKey: theCluster(view).status.unlockKey ?? '' })
  })

  router.add('POST', '/swarm/unlock', async (request) => {
    const from = new Fields(await bodyOf(request), 'UnlockRequest')
    using wait = waitOf(request, membershipTimeoutMs)
    await node.unlock(from.string('UnlockKey') ?? '', wait)
    return done()
  })
}

function availabilityOf(from: Fields): NodeAvailability {
  const text = from.string('Availability')
  return (
    oneOf(text, ['active', 'pause', 'drain'] as const, `invalid Availability: "${text ?? ''}"`) ?? 'active'
  )
}
