import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from '#model/id.ts'
import { DataPlaneState } from '../data-plane-state.ts'
import { ipv4 } from '../family.ts'
import { VirtualAddressCache } from './virtual-address-cache.ts'

const networkId = 'net' as NetworkId
const member = (number: number, isServing: boolean): DataPlaneMember => ({
  ...{ key: `t${String(number)}/net`, taskId: `t${String(number)}` as TaskId, networkId, isServing },
  ...{ nodeId: 'node' as NodeId, addresses: [`10.0.0.${String(number)}`], names: [] },
  serviceId: `s${String(number)}` as ServiceId,
})
const endpoint = (number: number): DataPlaneEndpoint => ({
  ...{ key: `s${String(number)}/net`, serviceId: `s${String(number)}` as ServiceId, networkId },
  ...{ names: [], virtualAddresses: [`10.0.1.${String(number)}`], ports: [], prefersLocal: false },
})

test('only what a change concerns is another list', () => {
  const state = new DataPlaneState()
  const none = { put: [], remove: [] }
  const members = { put: [member(1, true), member(2, true)], remove: [] }
  const endpoints = { put: [endpoint(1), endpoint(2)], remove: [] }
  const change = { sequence: 1, port: 4789, hosts: none }
  state.apply({ ...change, full: true, members, endpoints })
  const cache = new VirtualAddressCache(state)
  const before = cache.of(ipv4, networkId)
  assert.deepEqual(
    [...before],
    [
      ['10.0.1.1', ['10.0.0.1']],
      ['10.0.1.2', ['10.0.0.2']],
    ],
  )
  assert.equal(cache.of(ipv4, networkId), before)
  state.apply({ ...change, full: false, members: { put: [member(2, false)], remove: [] }, endpoints: none })
  const after = cache.of(ipv4, networkId)
  assert.equal(after.get('10.0.1.1'), before.get('10.0.1.1'))
  assert.deepEqual(after.get('10.0.1.2'), [])
  cache.keep(new Set())
  state.apply({ ...change, full: true, members: none, endpoints: none })
  assert.equal(cache.of(ipv4, networkId).size, 0)
})
