import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  joinHostPort,
  resolveAdvertiseAddress,
  resolveDataPathAddress,
  resolveListenAddress,
  splitHostPort,
} from './addresses.ts'
import type { Interfaces } from './addresses.ts'

const v4 = (address: string, internal = false) => ({
  address,
  family: 'IPv4' as const,
  internal,
  netmask: '255.255.255.0',
  mac: '02:00:00:00:00:01',
  cidr: `${address}/24`,
})
const one: Interfaces = { lo: [v4('127.0.0.1', true)], eth0: [v4('10.1.0.5')], docker0: [v4('172.17.0.1')] }
const two: Interfaces = { ...one, eth1: [v4('10.2.0.5')] }

test('host and port', () => {
  assert.deepEqual(splitHostPort('10.0.0.1', 2377), { host: '10.0.0.1', port: 2377 })
  assert.deepEqual(splitHostPort('10.0.0.1:99', 2377), { host: '10.0.0.1', port: 99 })
  assert.deepEqual(splitHostPort('::1', 2377), { host: '::1', port: 2377 })
  assert.deepEqual(splitHostPort('[::1]:99', 2377), { host: '::1', port: 99 })
  assert.equal(splitHostPort('10.0.0.1:99999', 2377), undefined)
  assert.equal(joinHostPort({ host: '::1', port: 1 }), '[::1]:1')
})

test('the only address of the host is advertised; bridges of engines do not count', () => {
  const listen = resolveListenAddress('0.0.0.0:2377', one)
  assert.deepEqual(resolveAdvertiseAddress('', listen, one), { host: '10.1.0.5', port: 2377 })
})

test('two addresses: the person chooses', () => {
  const listen = resolveListenAddress('', two)
  assert.throws(() => resolveAdvertiseAddress('', listen, two), /10\.1\.0\.5 on eth0 and 10\.2\.0\.5 on eth1/)
  assert.deepEqual(resolveAdvertiseAddress('eth1', listen, two), { host: '10.2.0.5', port: 2377 })
  assert.deepEqual(resolveAdvertiseAddress('eth1:99', listen, two), { host: '10.2.0.5', port: 99 })
})

test('what cannot be an address is refused', () => {
  const listen = resolveListenAddress('', one)
  assert.throws(() => resolveAdvertiseAddress('0.0.0.0', listen, one), /non-zero IP address/)
  assert.throws(() => resolveAdvertiseAddress('nope', listen, one), /advertise address must be/)
  assert.throws(() => resolveListenAddress('what?:x', one), /listen address must be/)
  assert.throws(() => resolveDataPathAddress('10.0.0.1:4789', one), /without a port/)
  assert.equal(resolveDataPathAddress('eth0', one), '10.1.0.5')
})
