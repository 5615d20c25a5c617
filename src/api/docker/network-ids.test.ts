import assert from 'node:assert/strict'
import { test } from 'node:test'
import { areOnNetworks, withNetworkIds } from './network-ids.ts'

const on = (networks: object) => ({ Id: 'c', NetworkSettings: { Ports: {}, Networks: networks } })

test("a container shows the cluster's own ids of its networks, and those of its engine as they are", () => {
  const container = on({ shop: { NetworkID: 'e1', IPAddress: '10.0.1.3' }, own: { NetworkID: 'e2' } })
  assert.deepEqual(
    withNetworkIds(container, new Map([['e1', 'cluster1']])),
    on({ shop: { NetworkID: 'cluster1', IPAddress: '10.0.1.3' }, own: { NetworkID: 'e2' } }),
  )
  assert.equal(withNetworkIds(container, new Map()), container)
})

test('what has no network of the cluster is not looked at', () => {
  assert.equal(areOnNetworks([on({ bridge: {} }), on({}), { message: 'none' }, null]), false)
  assert.equal(areOnNetworks([on({ bridge: {} }), on({ shop: {} })]), true)
})
