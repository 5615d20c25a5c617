import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from '#model/id.ts'
import { addressesOf, nameOf } from '../dns/names.ts'
import { DataPlaneState } from '../data-plane-state.ts'
import { macOfAddress, macOfHost } from '../device-names.ts'
import { ipv4, ipv6 } from '../family.ts'
import { forwardingOf, renderForwarding } from '../overlay/forwarding.ts'
import { publishedPortsOf, renderPublishedPorts } from '../mesh/published-ports.ts'
import { numberHosts, renderReturnPath } from '../mesh/return-path.ts'
import {
  removedBackends,
  targetsIn,
  renderVirtualAddresses,
  virtualAddressesOf,
} from './virtual-addresses.ts'

const net = 'net' as NetworkId
const member = (id: string, nodeId: string, address: string, isServing = true): DataPlaneMember => ({
  key: `${id}/net`,
  taskId: id as TaskId,
  networkId: net,
  nodeId: nodeId as NodeId,
  addresses: [address],
  serviceId: 'web' as ServiceId,
  names: [`web.1.${id}`],
  isServing,
})
const endpoint = (change: Partial<DataPlaneEndpoint> = {}): DataPlaneEndpoint => ({
  key: 'web/net',
  serviceId: 'web' as ServiceId,
  networkId: net,
  names: ['stack_web', 'web'],
  virtualAddresses: ['10.0.1.2'],
  ports: [],
  prefersLocal: false,
  ...change,
})
const host = (nodeId: string, address: string) => ({ nodeId: nodeId as NodeId, hostname: nodeId, address })
const hosts = new Map(
  [host('a', '192.168.0.1'), host('b', '192.168.0.2')].map((one) => [one.nodeId as string, one]),
)

test('a virtual address leads to what serves, and to nothing else', () => {
  const members = [member('t1', 'a', '10.0.1.3'), member('t2', 'b', '10.0.1.4', false)]
  const found = virtualAddressesOf(ipv4, [endpoint()], members)
  assert.deepEqual([...found], [['10.0.1.2', ['10.0.1.3']]])
})

test('a change of one service is a few lines, and says nothing of the others', () => {
  const before = new Map([
    ['10.0.1.2', ['10.0.1.3']],
    ['10.0.1.9', ['10.0.1.8']],
  ])
  const after = new Map([
    ['10.0.1.2', ['10.0.1.3', '10.0.1.4']],
    ['10.0.1.9', ['10.0.1.8']],
  ])
  assert.deepEqual(renderVirtualAddresses(ipv4, before, after), [
    'add chain ip mure s_10_0_1_2',
    'flush chain ip mure s_10_0_1_2',
    'add rule ip mure s_10_0_1_2 dnat to numgen random mod 2 map { 0 : 10.0.1.3, 1 : 10.0.1.4 }',
  ])
  assert.deepEqual(removedBackends(after, before), ['10.0.1.4'])
  assert.deepEqual(renderVirtualAddresses(ipv4, after, after), [])
})

test('a service without tasks refuses; with its first it serves', () => {
  const none = new Map([['10.0.1.2', []]])
  const one = new Map([['10.0.1.2', ['10.0.1.3']]])
  assert.ok(
    renderVirtualAddresses(ipv4, undefined, none).includes('add element ip mure unserved { 10.0.1.2 }'),
  )
  const served = renderVirtualAddresses(ipv4, none, one)
  assert.equal(served[0], 'delete element ip mure unserved { 10.0.1.2 }')
  assert.equal(served.at(-1), 'add element ip mure services { 10.0.1.2 : goto s_10_0_1_2 }')
})

test('forwarding knows those on other hosts, and takes away before it adds', () => {
  const before = forwardingOf([member('t1', 'b', '10.0.1.3')], hosts, 'a')
  const after = forwardingOf([member('t2', 'b', '10.0.1.4'), member('t3', 'a', '10.0.1.5')], hosts, 'a')
  assert.deepEqual([...after.keys()], [macOfHost('b'), macOfAddress('10.0.1.4')])
  assert.deepEqual(renderForwarding(0x1001, before, after), {
    bridge: [
      'fdb del 02:42:0a:00:01:03 dev mux1001 dst 192.168.0.2 self',
      'fdb append 02:42:0a:00:01:04 dev mux1001 dst 192.168.0.2 self permanent',
    ],
    ip: [
      'neigh del 10.0.1.3 dev mux1001',
      'neigh replace 10.0.1.4 lladdr 02:42:0a:00:01:04 dev mux1001 nud permanent',
    ],
    ip6: [],
  })
})

test('engines that share one host need no tunnel between them', () => {
  const shared = new Map(
    [host('a', '127.0.0.1'), host('b', '127.0.0.1')].map((one) => [one.nodeId as string, one]),
  )
  assert.equal(forwardingOf([member('t1', 'b', '10.0.1.3')], shared, 'a').size, 0)
})

test('names: a service, its short name, its tasks; only on networks of the asker', () => {
  const state = new DataPlaneState()
  state.apply({
    full: true,
    sequence: 1,
    port: 4789,
    hosts: { put: [...hosts.values()], remove: [] },
    members: { put: [member('t1', 'a', '10.0.1.3'), member('t2', 'b', '10.0.1.4', false)], remove: [] },
    endpoints: { put: [endpoint()], remove: [] },
  })
  const asker = { networks: new Map([['net', 'front']]) }
  assert.deepEqual(addressesOf('stack_web', asker, state), ['10.0.1.2'])
  assert.deepEqual(addressesOf('web.front', asker, state), ['10.0.1.2'])
  assert.deepEqual(addressesOf('tasks.web', asker, state), ['10.0.1.3'])
  assert.deepEqual(addressesOf('web.1.t1', asker, state), ['10.0.1.3'])
  // It is about to stop: its name is known, and nobody is sent there.
  assert.deepEqual(addressesOf('web.1.t2', asker, state), [])
  assert.equal(addressesOf('other', asker, state), undefined)
  assert.equal(addressesOf('web', { networks: new Map([['another', 'front']]) }, state), undefined)
  assert.equal(nameOf('10.0.1.2', asker, state), 'stack_web.front')
  state.apply({
    full: false,
    sequence: 2,
    port: 4789,
    hosts: { put: [], remove: [] },
    members: { put: [], remove: ['t1/net', 't2/net'] },
    endpoints: { put: [endpoint({ virtualAddresses: [] })], remove: [] },
  })
  assert.deepEqual(addressesOf('web', asker, state), [])
})

test('the mesh prefers tasks of its own host where that is asked for', () => {
  const members = [member('t1', 'a', '10.0.1.3'), member('t2', 'b', '10.0.1.4')]
  const ports = [{ protocol: 'tcp', targetPort: 80, publishedPort: 8080, publishMode: 'ingress' }] as const
  const of = (prefersLocal: boolean, own: string) =>
    publishedPortsOf(ipv4, [endpoint({ ports, prefersLocal })], members, own).get('tcp/8080')?.backends
  assert.deepEqual(of(false, 'a'), ['10.0.1.3', '10.0.1.4'])
  assert.deepEqual(of(true, 'a'), ['10.0.1.3'])
  assert.deepEqual(of(true, 'c'), ['10.0.1.3', '10.0.1.4'])
  const where = { table: 't', ingressBridge: 'mub1000', localAddress: '192.168.0.1' }
  const before = publishedPortsOf(ipv4, [endpoint({ ports })], members, 'a')
  assert.deepEqual(renderPublishedPorts(ipv4, where, before, new Map()), [
    'delete element ip t tcp_ports { 8080 }',
    'flush chain ip t p_tcp_8080',
    'delete chain ip t p_tcp_8080',
  ])
})

test('a host keeps its number as long as it stays, and its number is used again afterwards', () => {
  const first = numberHosts(new Map(), ['b', 'a'])
  assert.deepEqual(
    [...first],
    [
      ['a', 1],
      ['b', 2],
    ],
  )
  const second = numberHosts(first, ['b', 'c'])
  assert.deepEqual(
    [...second],
    [
      ['b', 2],
      ['c', 1],
    ],
  )
  const { nft, ip } = renderReturnPath('eth0', first, second)
  assert.equal(nft.length, 4)
  assert.ok(ip.includes('rule add fwmark 5046273 lookup 5046273'))
})

test('both versions of IP are balanced apart from each other', () => {
  const members = [{ ...member('t1', 'b', '10.0.1.3'), addresses: ['10.0.1.3', 'fd00::3'] }]
  const both = endpoint({ virtualAddresses: ['10.0.1.2', 'fd00::2'] })
  assert.deepEqual([...virtualAddressesOf(ipv6, [both], members)], [['fd00::2', ['fd00::3']]])
  const lines = renderVirtualAddresses(ipv6, undefined, new Map([['fd00::2', ['fd00::3']]]))
  assert.ok(lines.includes('add rule ip6 mure s_fd00__2 dnat to numgen random mod 1 map { 0 : fd00::3 }'))
  const { ip6 } = renderForwarding(0x1001, new Map(), forwardingOf(members, hosts, 'a'))
  assert.ok(ip6.includes('neigh replace fd00::3 lladdr 02:42:0a:00:01:03 dev mux1001 nud permanent'))
})

test('what rules send connections to is read back from the kernel', () => {
  const text = `chain s_10_0_1_2 {
      dnat to numgen random mod 2 map { 0 : 10.0.1.3, 1 : 10.0.1.4 }
    }
    chain p_tcp_80 { meta l4proto tcp dnat ip6 to numgen random mod 1 map { 0 : fd00::3 . 8080 } }`
  assert.deepEqual(targetsIn(text), ['10.0.1.3', '10.0.1.4', 'fd00::3'])
})
