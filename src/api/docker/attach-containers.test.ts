import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerInspect } from '#engine/types.ts'
import { startWait } from '#lib/wait.ts'
import type { ContainerPlace } from '../backend.ts'
import { connectToClusterNetwork } from './attach-containers.ts'

const place = {
  taskId: 'new-place',
  networkId: 'n1',
  engineNetwork: 'net',
  nameserver: '10.0.0.1',
  addresses: ['10.0.0.9'],
} as unknown as ContainerPlace

const container = {
  Id: 'c1',
  Name: '/made',
  State: { Running: false },
  Config: { Labels: { 'mure.attachment.old-place': 'n1' } },
  NetworkSettings: {
    Networks: { net: { IPAMConfig: { IPv4Address: '10.0.0.8' }, Aliases: ['old'] } },
  },
} as unknown as ContainerInspect

test('a container whose new connection is refused keeps the one that it had, and its place', async () => {
  const calls: unknown[] = []
  const engine = {
    inspectContainer: () => Promise.resolve(container),
    disconnectNetwork: () => {
      calls.push('off')
      return Promise.resolve()
    },
    connectNetwork: (_network: string, _container: string, endpoint: object) => {
      calls.push(endpoint)
      return calls.length === 2 ? Promise.reject(new Error('refused')) : Promise.resolve()
    },
  }
  const node = {
    attach: () => Promise.resolve(place),
    detach: (taskId: string) => {
      calls.push(`back: ${taskId}`)
      return Promise.resolve()
    },
    placeOf: () => undefined,
  }
  using wait = startWait()
  const call = { network: 'net', container: 'c1', endpoint: { Aliases: ['new'] } }
  await assert.rejects(connectToClusterNetwork({ engine, node }, call, wait), /refused/)
  assert.deepEqual(calls, [
    'off',
    { Aliases: ['new'], IPAMConfig: { IPv4Address: '10.0.0.9' } },
    { Aliases: ['old'], IPAMConfig: { IPv4Address: '10.0.0.8' } },
    'back: new-place',
  ])
})
