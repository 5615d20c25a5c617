import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataPlaneMember } from '#model/data-plane.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from '#model/id.ts'
import { DataPlaneState } from './data-plane-state.ts'

const member = (isServing: boolean): DataPlaneMember => ({
  ...{ key: 't/net', taskId: 't' as TaskId, networkId: 'net' as NetworkId, isServing },
  ...{ nodeId: 'node' as NodeId, addresses: ['10.0.0.1'], names: [], serviceId: 's' as ServiceId },
})

test('what nothing is to be sent to any more is urgent; what is new is not', () => {
  const state = new DataPlaneState()
  const none = { put: [], remove: [] }
  const change = { full: false, sequence: 1, port: 4789, hosts: none, endpoints: none }
  const put = (isServing: boolean) => ({ ...change, members: { put: [member(isServing)], remove: [] } })
  const removal = { ...change, members: { put: [], remove: ['t/net'] } }
  assert.equal(state.isUrgent(put(false)), false)
  state.apply(put(false))
  assert.equal(state.isUrgent(removal), false)
  assert.equal(state.isUrgent(put(true)), false)
  state.apply(put(true))
  assert.equal(state.isUrgent(put(true)), false)
  assert.equal(state.isUrgent(put(false)), true)
  assert.equal(state.isUrgent(removal), true)
  assert.equal(state.isUrgent({ ...change, members: none, full: true }), true)
})
