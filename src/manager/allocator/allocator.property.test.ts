import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { overlaps, parseNetwork } from '#model/address.ts'
import type { IpNetwork } from '#model/address.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { NetworkId, TaskId } from '#model/id.ts'
import type { IpamRange, Network } from '#model/network.ts'
import type { Task } from '#model/task.ts'
import { aTask, testEpoch } from '#model/testing/builders.ts'
import { Allocator } from './allocator.ts'

const networking = { ...networkingDefaults, defaultAddressPool: ['10.0.0.0/16'], subnetSize: 24 }

function aNetwork(name: string, ranges: readonly IpamRange[] = []): Network {
  return {
    kind: 'network',
    meta: {
      id: name as NetworkId,
      name,
      version: 1,
      generation: 1,
      createdAt: testEpoch,
      updatedAt: testEpoch,
      labels: {},
    },
    spec: {
      name,
      labels: {},
      driver: { name: 'overlay' },
      ipv6: false,
      internal: false,
      attachable: true,
      ingress: false,
      ipam: { driver: { name: 'default' }, ranges },
    },
    status: { ranges },
  }
}

const empty = () => new Allocator({ networks: [], services: [], tasks: [] })

const aPlace = (id: string, network: string, addresses?: readonly string[]): Task => {
  const task = aTask({
    spec: {
      containers: [],
      networks: [{ target: network, ...(addresses === undefined ? {} : { addresses }) }],
    },
  })
  return { ...task, meta: { ...task.meta, id: id as TaskId } }
}

const addressesIn = (task: Task): string[] => task.attachments.flatMap(({ addresses }) => [...addresses])

test('no address is given twice, none is lost, and one that is given back is given again', () => {
  const size = 13
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(20)), { maxLength: 120 }), (steps) => {
      const allocator = empty()
      const network = allocator.allocateNetwork(aNetwork('net', [{ subnet: '10.9.0.0/28' }]), networking)
      allocator.putNetwork(network)
      const held = new Map<string, string>()
      for (const [takes, number] of steps) {
        const id = `t${String(number)}`
        if (!takes) {
          allocator.removeTask(id as TaskId)
          held.delete(id)
          continue
        }
        if (held.has(id)) continue
        const attached = allocator.attachTask(aPlace(id, 'net'))
        if (typeof attached === 'string') {
          assert.match(attached, /could not find an available IP/)
          assert.equal(held.size, size)
          continue
        }
        const [address = ''] = addressesIn(attached)
        assert.ok(![...held.values()].includes(address), `${address} twice`)
        assert.ok(!['10.9.0.0/28', '10.9.0.1/28', '10.9.0.15/28'].includes(address))
        held.set(id, address)
      }
    }),
  )
})

test('subnets of the pool overlap neither each other nor a route of any host, and come back', () => {
  const routes = ['10.0.3.0/24', '10.0.128.0/17', '192.168.0.0/16'].flatMap(
    (text) => parseNetwork(text) ?? [],
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(200)), { maxLength: 300 }), (steps) => {
      const allocator = empty()
      const held = new Map<string, { network: Network; subnet: IpNetwork; vxlanId: number }>()
      for (const [creates, number] of steps) {
        const name = `n${String(number)}`
        const present = held.get(name)
        if (!creates) {
          if (present !== undefined) allocator.removeNetwork(present.network)
          held.delete(name)
          continue
        }
        if (present !== undefined) continue
        const network = allocator.allocateNetwork(aNetwork(name), networking, () => routes)
        const { error, vxlanId, ranges } = network.status
        if (vxlanId === undefined) {
          assert.match(error ?? '', /no subnet is left/)
          // 128 in the lower half, less the one that is a host's.
          assert.equal(held.size, 127)
          continue
        }
        const subnet = parseNetwork(ranges[0]?.subnet ?? '')
        if (subnet === undefined) throw new Error('no subnet')
        for (const other of [...routes, ...[...held.values()].map((one) => one.subnet)])
          assert.ok(!overlaps(other, subnet))
        assert.ok(![...held.values()].some((one) => one.vxlanId === vxlanId))
        held.set(name, { network, subnet, vxlanId })
      }
    }),
    { numRuns: 30 },
  )
})

test('of two networks that ask for the same addresses one is refused, and has nothing', () => {
  const allocator = empty()
  const first = allocator.allocateNetwork(aNetwork('a', [{ subnet: '10.5.0.0/16' }]), networking)
  const second = allocator.allocateNetwork(aNetwork('b', [{ subnet: '10.5.7.0/24' }]), networking)
  assert.equal(first.status.error, undefined)
  assert.match(second.status.error ?? '', /Pool overlaps with other one on this address space/)
  assert.equal(second.status.vxlanId, undefined)
  allocator.removeNetwork(first)
  assert.equal(
    allocator.allocateNetwork(aNetwork('b', [{ subnet: '10.5.7.0/24' }]), networking).status.error,
    undefined,
  )
})

test('gateway, range and auxiliary addresses are kept to; an address is given to who asks for it', () => {
  const allocator = empty()
  const range = {
    subnet: '10.6.0.0/24',
    range: '10.6.0.128/30',
    gateway: '10.6.0.129',
    auxiliary: { router: '10.6.0.130' },
  }
  allocator.putNetwork(allocator.allocateNetwork(aNetwork('net', [range]), networking))
  const given = ['a', 'b', 'c'].map((id) => allocator.attachTask(aPlace(id, 'net')))
  assert.deepEqual(
    given.map((one) => (typeof one === 'string' ? 'none' : addressesIn(one)[0])),
    ['10.6.0.128/24', '10.6.0.131/24', 'none'],
  )
  const own = allocator.attachTask(aPlace('d', 'net', ['10.6.0.77']))
  assert.deepEqual(typeof own === 'string' ? own : addressesIn(own), ['10.6.0.77/24'])
  const refusal = (id: string, address: string): string => {
    const outcome = allocator.attachTask(aPlace(id, 'net', [address]))
    return typeof outcome === 'string' ? outcome : 'given'
  }
  assert.match(refusal('e', '10.6.0.77'), /Address already in use/)
  assert.match(refusal('f', '10.7.0.1'), /does not belong/)
  allocator.removeTask('d' as TaskId)
  assert.notEqual(typeof allocator.attachTask(aPlace('e', 'net', ['10.6.0.77'])), 'string')
})
