import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkingDefaults } from '#model/defaults.ts'
import type { NetworkId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { Network } from '#model/network.ts'
import { aService, aTask, testEpoch } from '#model/testing/builders.ts'
import { membersFromTask } from '../dispatcher/data-plane/derive.ts'
import { Allocator } from './allocator.ts'

const network = (name: string, driver: string): Network => ({
  kind: 'network',
  meta: newMeta(name as NetworkId, testEpoch, { name, labels: {} }),
  spec: {
    name,
    labels: {},
    driver: { name: driver },
    ipv6: false,
    internal: false,
    attachable: false,
    ingress: false,
    ipam: { driver: { name: 'default' }, ranges: [] },
  },
  status: { ranges: [] },
})

test('on a network that each host has by itself nothing is given out, and nobody is told who is on it', () => {
  const allocator = new Allocator({ networks: [], services: [], tasks: [] })
  const local = network('local', 'macvlan')
  allocator.putNetwork(local)
  assert.equal(allocator.allocateNetwork(local, networkingDefaults), local)
  const wide = allocator.allocateNetwork(network('wide', 'overlay'), networkingDefaults)
  const networks = [{ target: 'local' }, { target: 'wide' }]
  const service = aService({ name: 'web' })
  const template = { ...service.spec.template, networks }
  const allocated = allocator.allocateService({ ...service, spec: { ...service.spec, template } })
  assert.deepEqual(
    allocated.service.status.endpoint?.virtualAddresses.map(({ networkId }) => networkId),
    [wide.meta.id],
  )
  const task = allocator.attachTask(aTask({ spec: { containers: [], networks } }))
  assert.ok(typeof task !== 'string')
  assert.deepEqual(
    task.attachments.map(({ networkId, addresses }) => [networkId, addresses.length]),
    [
      ['local', 0],
      ['wide', 1],
    ],
  )
  assert.equal(allocator.attachTask(task), task)
  const placed = { ...task, nodeId: aTask({ nodeId: 'n1' as never }).nodeId }
  assert.deepEqual(
    membersFromTask({ ...placed, status: { ...task.status, state: 'running' } }).map((one) => one.networkId),
    ['wide'],
  )
})
