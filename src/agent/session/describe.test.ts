import assert from 'node:assert/strict'
import test from 'node:test'
import type { EngineInfo } from '#engine/types.ts'
import { changesPlugins, descriptionOf, hostDescription, mureVersion } from './describe.ts'

const info: EngineInfo = {
  ID: 'A',
  Name: 'worker01',
  Architecture: 'x86_64',
  OSType: 'linux',
  NCPU: 2,
  MemTotal: 1_024,
  ServerVersion: '20.10.24',
  Labels: ['zone=a=b', 'plain'],
  Plugins: {
    Volume: ['local'],
    Network: ['null', 'mure-0a1b2c3d', 'bridge'],
    Authorization: null,
    Log: ['json-file'],
  },
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

test('a volume of a driver that was not there, or a plugin, is a reason to describe the node anew', () => {
  const known = descriptionOf(info, undefined)
  const event = (Type: string, Action: string, driver = '') =>
    ({ Type, Action, Actor: { ID: 'v', Attributes: { driver } }, time: 0, timeNano: 0n }) as const
  assert.equal(changesPlugins(event('volume', 'create', 'custom'), known), true)
  assert.equal(changesPlugins(event('volume', 'create', 'local'), known), false)
  assert.equal(changesPlugins(event('volume', 'mount', 'custom'), known), false)
  assert.equal(changesPlugins(event('plugin', 'enable'), known), true)
  assert.equal(changesPlugins(event('network', 'create'), known), false)
})
