import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { NodeId } from '#model/id.ts'
import { innerAddress, innerHosts, renderEncryption } from './config.ts'
import { freshTunnelKey, newTunnelKey } from './key-file.ts'

const host = (id: string, address: string, tunnelKey?: string) => ({
  nodeId: id as NodeId,
  hostname: id,
  address,
  ...(tunnelKey === undefined ? {} : { tunnelKey }),
})

test('a host speaks with those that have a key, and with nobody else', () => {
  const hosts = [
    host('a', '10.0.0.1', 'KA='),
    host('b', '10.0.0.2', 'KB='),
    host('c', 'fd00::3', 'KC='),
    host('d', '10.0.0.4'),
  ]
  assert.equal(
    renderEncryption('SECRET=', 'a', hosts),
    [
      '[Interface]',
      'PrivateKey = SECRET=',
      'ListenPort = 51830',
      '[Peer]',
      'PublicKey = KB=',
      `AllowedIPs = ${innerAddress('b')}/128`,
      'Endpoint = 10.0.0.2:51830',
      '[Peer]',
      'PublicKey = KC=',
      `AllowedIPs = ${innerAddress('c')}/128`,
      'Endpoint = [fd00::3]:51830',
      '',
    ].join('\n'),
  )
  assert.deepEqual([...innerHosts(hosts).keys()], ['a', 'b', 'c'])
  assert.match(innerAddress('a'), /^fd4d:7772:6700:/)
})

test('a key is kept until it is old, and what is no key is replaced', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tunnel-key-'))
  try {
    const path = join(folder, 'key.json')
    const first = await freshTunnelKey(path, 1_000, 500)
    assert.deepEqual(await freshTunnelKey(path, 1_400, 500), first)
    const second = await freshTunnelKey(path, 1_500, 500)
    assert.notEqual(second.publicKey, first.publicKey)
    await writeFile(path, '{ "privateKey": "x", "madeAtMs": 1500 }')
    assert.notEqual((await freshTunnelKey(path, 1_600, 500)).publicKey, second.publicKey)
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a public key has 32 bytes', () => {
  assert.equal(Buffer.from(newTunnelKey(0).publicKey, 'base64').length, 32)
})
