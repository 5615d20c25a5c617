import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NetworkId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { Network } from '#model/network.ts'
import { testEpoch } from '#model/testing/builders.ts'
import { networkFromModel, networkResourceFromModel, networkSpecToModel } from './network.ts'

const made = (IPAM: object): Network => ({
  kind: 'network',
  meta: newMeta('net' as NetworkId, testEpoch, { name: 'net', labels: {} }),
  spec: networkSpecToModel({ Name: 'net', Driver: 'overlay', IPAM }),
  status: { ranges: [] },
})

test('what was asked of IPAM is shown: to tasks the pools as they were given, options in both', () => {
  const pool = { Subnet: '10.66.0.0/24', Gateway: '10.66.0.9' }
  const network = made({ Driver: 'default', Options: { foo: 'bar' }, Config: [pool] })
  const { Spec } = networkFromModel(network) as { Spec: { IPAMOptions: object } }
  assert.deepEqual(Spec.IPAMOptions, {
    Driver: { Name: 'default', Options: { foo: 'bar' } },
    Configs: [pool],
  })
  const { IPAM } = networkResourceFromModel(network) as { IPAM: { Options: object | null } }
  assert.deepEqual(IPAM.Options, { 'com.docker.network.ipam.serial': 'true', foo: 'bar' })
})

test('what was not asked is not there', () => {
  const network = made({})
  const { Spec } = networkFromModel(network) as { Spec: { IPAMOptions: object } }
  assert.deepEqual(Spec.IPAMOptions, { Driver: { Name: 'default' } })
  const { IPAM } = networkResourceFromModel(network) as { IPAM: { Options: object | null } }
  assert.equal(IPAM.Options, null)
})

test('a network of each host’s own has its driver and nothing that was chosen for it', () => {
  const spec = networkSpecToModel({ Name: 'net', Scope: 'swarm', ConfigFrom: { Network: 'conf' } })
  assert.equal(spec.driver.name, 'bridge')
  const network: Network = { ...made({}), spec }
  const shown = networkFromModel(network) as Record<string, unknown>
  assert.deepEqual(shown['DriverState'], { Name: 'bridge' })
  assert.equal('IPAMOptions' in shown, false)
  assert.deepEqual((networkResourceFromModel(network) as { Driver: string; ConfigFrom: object }).ConfigFrom, {
    Network: 'conf',
  })
})
