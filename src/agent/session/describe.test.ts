import assert from 'node:assert/strict'
import test from 'node:test'
import type { EngineInfo } from '#engine/types.ts'
import { descriptionOf, hostDescription, mureVersion } from './describe.ts'

const info: EngineInfo = {
  ID: 'A',
  Name: 'worker01',
  Architecture: 'x86_64',
  OSType: 'linux',
  NCPU: 2,
  MemTotal: 1_024,
  ServerVersion: '20.10.24',
  Labels: ['zone=a=b', 'plain'],
  Plugins: { Volume: ['local'], Network: ['null', 'bridge'], Authorization: null, Log: ['json-file'] },
  GenericResources: [
    { NamedResourceSpec: { Kind: 'gpu', Value: 'uuid1' } },
    { DiscreteResourceSpec: { Kind: 'ssd', Value: 3 } },
  ],
}

test('a node is described as Swarm describes it', () => {
  assert.deepEqual(descriptionOf(info, undefined), {
    hostname: 'worker01',
    platform: { architecture: 'x86_64', os: 'linux' },
    resources: {
      cpuNano: 2e9,
      memoryBytes: 1_024,
      generic: [
        { kind: 'gpu', value: 'uuid1' },
        { kind: 'ssd', count: 3 },
      ],
    },
    engine: {
      version: '20.10.24',
      labels: { zone: 'a=b' },
      plugins: [
        { type: 'Log', name: 'json-file' },
        { type: 'Network', name: 'bridge' },
        { type: 'Network', name: 'null' },
        { type: 'Network', name: 'overlay' },
        { type: 'Volume', name: 'local' },
      ],
    },
    mureVersion,
  })
})

test('a host is a host also while its engine is down', () => {
  const { platform, resources, engine } = hostDescription(undefined)
  assert.equal(platform.os, 'linux')
  assert.ok((resources.cpuNano ?? 0) >= 1e9)
  assert.equal(engine.version, '')
})
