import assert from 'node:assert/strict'
import test from 'node:test'
import { isLoopback, parseHost } from './host.ts'

test('hosts are written as for dockerd', () => {
  assert.deepEqual(parseHost('unix:///run/docker.sock'), { kind: 'unix', path: '/run/docker.sock' })
  assert.deepEqual(parseHost('tcp://[::1]:2376'), { kind: 'tcp', address: '::1', portNumber: 2376 })
  assert.deepEqual(parseHost('tcp://:2376'), { kind: 'tcp', address: '', portNumber: 2376 })
  for (const wrong of ['unix://relative', 'tcp://host', 'tcp://host:99999', 'http://host:1', '/run/x.sock'])
    assert.throws(() => parseHost(wrong), /a host is unix/)
})

test('loopback is an address, not a name that begins like one', () => {
  assert.deepEqual(['localhost', '127.0.0.1', '::1'].map(isLoopback), [true, true, true])
  assert.deepEqual(['', '0.0.0.0', '127.example.com', '10.0.0.1'].map(isLoopback), [
    false,
    false,
    false,
    false,
  ])
})
