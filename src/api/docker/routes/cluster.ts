import { defined } from '#lib/defined.ts'
import { errorText, MureError } from '#lib/errors.ts'
import { checkClusterSpec } from '#manager/control/cluster.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import { parseNetwork } from '#model/address.ts'
import type { ClusterSpec } from '#model/cluster.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { NodeAvailability } from '#model/node.ts'
import type { LocalNode } from '../../backend.ts'
import { done, ok } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import { clusterSpecToModel, swarmFromModel } from '../convert/cluster.ts'
import { Fields, omitEmpty, oneOf } from '../convert/fields.ts'
import type { FacadeParts } from '../facade.ts'
import { isOlder } from '../versions.ts'
import { bodyOf, flagOf, isTrue, versionOf, waitOf } from './support.ts'
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
    const listenAddress = listenAddressOf(from, node)
    const knowsPools = !isOlder(request.version, '1.39')
    const subnetSize = knowsPools ? (from.integer('SubnetSize') ?? 0) : 0
    const dataPathPort = isOlder(request.version, '1.40') ? 0 : (from.integer('DataPathPort') ?? 0)
    if (dataPathPort !== 0 && (dataPathPort < 1024 || dataPathPort > 49_151))
      throw new MureError(
        'invalid',
        `Datapath port number is not in valid range (1024-49151) : ${String(dataPathPort)}`,
      )
    const pools = knowsPools ? (from.strings('DefaultAddrPool') ?? []) : []
    for (const pool of pools)
      if (parseNetwork(pool) === undefined)
        throw new MureError('invalid', `invalid base pool ${pool}: invalid CIDR address: ${pool}`)
    if (subnetSize < 0 || subnetSize > 29)
      throw new MureError('invalid', `subnet size is out of range: ${String(subnetSize)}`)
    const spec = clusterSpecToModel(from.raw('Spec') ?? {}, {})
    if (node.info().state === 'inactive') checkNew(spec)
    return ok(
      await node.init(
        {
          listenAddress,
          advertiseAddress: from.string('AdvertiseAddr') ?? '',
          dataPathAddress: from.string('DataPathAddr') ?? '',
          dataPathPort: dataPathPort === 0 ? networkingDefaults.dataPathPort : dataPathPort,
          defaultAddressPool: pools.length === 0 ? networkingDefaults.defaultAddressPool : pools,
          // The CLI always sends its own default of 24, which holds 253 tasks; it means something only with a pool.
          subnetSize: subnetSize === 0 || pools.length === 0 ? networkingDefaults.subnetSize : subnetSize,
          forceNewCluster: from.boolean('ForceNewCluster') ?? false,
          spec,
          availability: availabilityOf(from),
        },
        wait,
      ),
    )
  })

  router.add('POST', '/swarm/join', async (request) => {
    const from = new Fields(await bodyOf(request), 'JoinRequest')
    using wait = waitOf(request, membershipTimeoutMs)
    const listenAddress = listenAddressOf(from, node)
    const remoteAddresses = from.strings('RemoteAddrs') ?? []
    if (remoteAddresses.length === 0)
      throw new MureError('invalid', 'at least 1 RemoteAddr is required to join')
    await node.join(
      {
        listenAddress,
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
        worker: flagOf(request, 'rotateWorkerToken'),
        manager: flagOf(request, 'rotateManagerToken'),
        unlockKey: flagOf(request, 'rotateManagerUnlockKey'),
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

function checkNew(spec: ClusterSpec): void {
  try {
    checkClusterSpec(spec)
  } catch (error) {
    throw new MureError('invalid', `error updating cluster settings: ${errorText(error)}`, { cause: error })
  }
}

function listenAddressOf(from: Fields, node: LocalNode): string {
  const text = from.string('ListenAddr') ?? ''
  // One that is in a swarm already is told that first.
  if (text === '' && node.info().state === 'inactive')
    throw new MureError('invalid', 'invalid ListenAddr "": invalid empty address')
  return text
}

function availabilityOf(from: Fields): NodeAvailability {
  const text = from.string('Availability')
  return (
    oneOf(text, ['active', 'pause', 'drain'] as const, `invalid Availability: "${text ?? ''}"`) ?? 'active'
  )
}
