import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Forwarding } from '../overlay/forwarding.ts'
import { forwardingDifferences, linkDifferences } from './differences.ts'

const expected = { vxlanId: 4097, mtu: 1450, localAddress: '192.168.0.1', port: 4789 }
const bridge = { ifname: 'mub1001', flags: ['BROADCAST', 'UP'], mtu: 1450 }
const vxlan = {
  ifname: 'mux1001',
  flags: ['UP'],
  mtu: 1450,
  master: 'mub1001',
  linkinfo: { info_data: { id: 4097, port: 4789, local: '192.168.0.1' } },
}

test('links that are as they should be differ in nothing', () => {
  assert.deepEqual(linkDifferences(expected, [bridge, vxlan]), [])
})

test('what is missing, down, too small or leads elsewhere is said', () => {
  const wrong = { ...vxlan, mtu: 1500, linkinfo: { info_data: { id: 4097, port: 4790, local: '10.0.0.1' } } }
  assert.deepEqual(linkDifferences(expected, [wrong]), [
    'mub1001 is missing',
    'mux1001 has the MTU 1500 instead of 1450',
    'mux1001 has the UDP port 4790 instead of 4789',
    'mux1001 has the own end 10.0.0.1 instead of 192.168.0.1',
  ])
  assert.deepEqual(
    linkDifferences(expected, [
      { ...bridge, flags: [] },
      { ...vxlan, master: 'br0' },
    ]),
    ['mub1001 is down', 'mux1001 is not on mub1001'],
  )
})

test('forwarding entries are compared one by one', () => {
  const entries = (hosts: Record<string, string>): Forwarding =>
    new Map(Object.entries(hosts).map(([mac, host]) => [mac, { mac, host, addresses: [] }]))
  assert.deepEqual(
    forwardingDifferences(entries({ a: '1', b: '2', c: '3' }), entries({ a: '1', b: '9', d: '4' })),
    [
      'b leads to 2 instead of to 9',
      'd leads nowhere instead of to 4',
      'c leads to 3, and should not be there',
    ],
  )
})
