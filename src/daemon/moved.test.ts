import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Interfaces } from './addresses.ts'
import { movedState, withInterface } from './moved.ts'
import type { NodeState } from './node-state.ts'

const state = {
  nodeId: 'n',
  clusterId: 'c',
  role: 'manager',
  listenAddress: '0.0.0.0:2377',
  advertiseAddress: '10.0.0.5:2377',
  dataPathAddress: '',
  peerUrl: 'https://10.0.0.5:2380',
} as NodeState

const having = (...addresses: string[]) =>
  ({
    lo: [{ address: '127.0.0.1', family: 'IPv4' }],
    eth0: addresses.map((address) => ({ address, family: 'IPv4' })),
  }) as unknown as Interfaces

test('an address that the host still has stays', () => {
  const kept = withInterface(state, having('10.0.0.5'))
  assert.equal(kept.advertiseInterface, 'eth0')
  assert.equal(movedState(kept, having('10.0.0.5', '10.0.0.6')), undefined)
})

test('a new address of the same interface takes the place of the old one everywhere', () => {
  const kept = withInterface(
    { ...state, listenAddress: '10.0.0.5:2377', dataPathAddress: '10.0.0.5' },
    having('10.0.0.5'),
  )
  const moved = movedState(kept, having('10.9.0.7'))
  assert.deepEqual(moved, {
    ...kept,
    listenAddress: '10.9.0.7:2377',
    advertiseAddress: '10.9.0.7:2377',
    dataPathAddress: '10.9.0.7',
    peerUrl: 'https://10.9.0.7:2380',
  })
  // Written down, it is the one to start from the next time.
  assert.equal(movedState(withInterface(moved, having('10.9.0.7')), having('10.9.0.7')), undefined)
})

test('an address that was never of this host, or has several in its place, is left as it is', () => {
  assert.equal(movedState(withInterface(state, having('192.168.0.1')), having('192.168.0.2')), undefined)
  const kept = withInterface(state, having('10.0.0.5'))
  assert.equal(movedState(kept, having('10.9.0.7', '10.9.0.8')), undefined)
  assert.equal(movedState(kept, having()), undefined)
})
