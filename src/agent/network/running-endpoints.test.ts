import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerInspect, ContainerSummary } from '#engine/types.ts'
import { MureError } from '#lib/errors.ts'
import { runningEndpoints } from './running-endpoints.ts'

const summary = (Id: string, State: string) => ({ Id, State }) as ContainerSummary

/** As the engine answers when a start that is under way is over. */
const container = (Running: boolean, EndpointID: string) =>
  ({
    State: { Running },
    NetworkSettings: {
      SandboxKey: '/netns/1',
      Networks: {
        net: { NetworkID: 'engines', EndpointID, IPAddress: '10.0.0.2', GlobalIPv6Address: '' },
        bridge: { NetworkID: 'other', EndpointID: 'x', IPAddress: '172.17.0.2', GlobalIPv6Address: '' },
      },
    },
  }) as unknown as ContainerInspect

test('ends are those of containers that run, and of those that were being started; what has gone is no matter', async () => {
  const containers = new Map([
    ['runs', container(true, 'e1')],
    ['starting', container(true, 'e2')],
    ['waits', container(false, '')],
    ['ended', container(false, 'e3')],
  ])
  const engine = {
    listContainers: () =>
      Promise.resolve([
        ...[summary('runs', 'running'), summary('starting', 'created'), summary('waits', 'created')],
        ...[summary('gone', 'running'), summary('ended', 'exited')],
      ]),
    inspectContainer: (id: string) => {
      const known = containers.get(id)
      return known === undefined
        ? Promise.reject(new MureError('not-found', `no such container: ${id}`))
        : Promise.resolve(known)
    },
  }
  const found = await runningEndpoints(engine, new Map([['engines', 'ours']]))
  assert.deepEqual(
    found.map(({ endpointId, networkId, sandbox }) => [endpointId, networkId, sandbox]),
    [
      ['e1', 'ours', '/netns/1'],
      ['e2', 'ours', '/netns/1'],
    ],
  )
})
