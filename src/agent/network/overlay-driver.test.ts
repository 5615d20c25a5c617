import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import type { EngineNetworkIds } from './engine-network-ids.ts'
import { OverlayDriver } from './overlay-driver.ts'
import { Sandboxes } from './sandboxes.ts'

test('an end that takes an address which another still has takes its place', async () => {
  const disconnected: string[] = []
  const sandboxes = new Sandboxes()
  const driver = new OverlayDriver({
    sandboxes,
    nameserver: '',
    wiringOf: () => ({
      reachesHost: true,
      connect: () => Promise.resolve({ mac: '02:00:00:00:00:01' }),
      disconnect: (endpointId) => {
        disconnected.push(endpointId)
        return Promise.resolve()
      },
      gatewayOf: () => Promise.resolve(''),
    }),
    networkIds: { get: () => 'ours' } as unknown as EngineNetworkIds,
    ownNetworkOf: () => Promise.resolve('ours'),
    told: () => Promise.resolve(),
    changed: () => undefined,
    logger: silentLogger,
  })
  const end = (EndpointID: string, Address: string) =>
    driver.createEndpoint({ NetworkID: 'engines', EndpointID, Interface: { Address } })
  await end('lost', '10.0.0.2/24')
  await end('other', '10.0.0.3/24')
  await end('new', '10.0.0.2/24')
  assert.deepEqual(disconnected, ['lost'])
  assert.deepEqual(
    sandboxes.all().map(({ endpointId }) => endpointId),
    ['other', 'new'],
  )
  assert.equal(sandboxes.byAddress('10.0.0.2')?.endpointId, 'new')
})
