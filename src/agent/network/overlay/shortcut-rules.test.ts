import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderShortcuts } from './shortcut-rules.ts'

const cable = { device: 'muvabc1', mac: '02:42:0a:00:00:03', address: '10.0.0.3' }
const far = '02:42:0a:00:00:04'
const alone = new Map([[4097, { vxlanId: 4097, far: new Set([far]), cables: [cable] }]])

test('a cable leads into the tunnel with its own addresses alone, and the tunnel to the cables that are here', () => {
  assert.deepEqual(renderShortcuts('t', undefined, alone), [
    'add table netdev t',
    'delete table netdev t',
    'add table netdev t',
    'add set netdev t far_mux1001 { type ether_addr; }',
    'add map netdev t here_mux1001 { type ether_addr : iface_index; }',
    'add chain netdev t in_mux1001 { type filter hook ingress device "mux1001" priority 0; }',
    'add rule netdev t in_mux1001 fwd to ether daddr map @here_mux1001',
    'add chain netdev t out_muvabc1 { type filter hook ingress device "muvabc1" priority 0; }',
    'add rule netdev t out_muvabc1 ether saddr 02:42:0a:00:00:03 ip saddr 10.0.0.3 ether daddr @far_mux1001 fwd to "mux1001"',
    'add element netdev t here_mux1001 { 02:42:0a:00:00:03 : "muvabc1" }',
    'add element netdev t far_mux1001 { 02:42:0a:00:00:04 }',
  ])
})

test('a change is written as its difference, what is gone first', () => {
  assert.deepEqual(renderShortcuts('t', alone, alone), [])
  const other = { device: 'muvabc2', mac: far, address: '10.0.0.4' }
  // It was on another host, and is here now.
  const both = new Map([[4097, { vxlanId: 4097, far: new Set<string>(), cables: [cable, other] }]])
  assert.deepEqual(renderShortcuts('t', alone, both), [
    'delete element netdev t far_mux1001 { 02:42:0a:00:00:04 }',
    'add chain netdev t out_muvabc2 { type filter hook ingress device "muvabc2" priority 0; }',
    'add rule netdev t out_muvabc2 ether saddr 02:42:0a:00:00:04 ip saddr 10.0.0.4 ether daddr @far_mux1001 fwd to "mux1001"',
    'add element netdev t here_mux1001 { 02:42:0a:00:00:04 : "muvabc2" }',
  ])
  assert.deepEqual(renderShortcuts('t', both, alone), [
    'delete element netdev t here_mux1001 { 02:42:0a:00:00:04 }',
    'flush chain netdev t out_muvabc2',
    'delete chain netdev t out_muvabc2',
    'add element netdev t far_mux1001 { 02:42:0a:00:00:04 }',
  ])
  assert.deepEqual(renderShortcuts('t', alone, new Map()).slice(-2), [
    'delete map netdev t here_mux1001',
    'delete set netdev t far_mux1001',
  ])
})
