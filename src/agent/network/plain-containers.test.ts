import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Engine } from '#engine/engine.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { aTask } from '#model/testing/builders.ts'
import { networkLabel } from './engine-networks.ts'
import { attachmentRuntime, PlainContainers } from './plain-containers.ts'

test('a container that is about to be connected keeps its place, whatever the engine lacks until then', async () => {
  const connected: Record<string, object> = {}
  const networks: object[] = []
  let looks = Promise.withResolvers<void>()
  const engine = {
    listContainers: () =>
      Promise.resolve([
        {
          ...{ Id: 'box', Names: ['/box'], State: 'running', Labels: {} },
          NetworkSettings: { Networks: { ...connected } },
        },
      ]),
    listNetworks: () => {
      // What is done about it is done by the time of the next look.
      looks.resolve()
      return Promise.resolve([...networks])
    },
  } as unknown as Engine
  const told: string[] = []
  await using places = new PlainContainers({
    ...{ engine, clock: systemClock, logger: silentLogger },
    release: (id) => {
      told.push(`released ${id}`)
      return Promise.resolve()
    },
    report: (_id, { state }) => told.push(state),
  })
  const look = async () => {
    looks = Promise.withResolvers()
    places.hear({
      Type: 'container',
      Action: 'start',
      Actor: { ID: 'box', Attributes: {} },
      time: 0,
      timeNano: 0n,
    })
    await looks.promise
  }
  const task = aTask({ state: 'new' })
  const status = { ...task.status, containers: [{ name: 'box', containerId: 'box', pid: 0 }] }
  places.take(
    {
      put: [
        { ...task, status, spec: { ...task.spec, networks: [{ target: 'id' }], runtime: attachmentRuntime } },
      ],
      remove: [],
    },
    true,
  )
  await looks.promise
  networks.push({ Name: 'net', Labels: { [networkLabel]: 'id' } })
  await look()
  await look()
  assert.deepEqual(told, [])
  connected['net'] = {}
  await look()
  await look()
  assert.deepEqual(told, ['running'])
})
