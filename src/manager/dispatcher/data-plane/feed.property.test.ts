import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import fc from 'fast-check'
import { DataPlaneState } from '#agent/network/data-plane-state.ts'
import { silentLogger } from '#lib/logger.ts'
import { newId } from '#model/id.ts'
import type { NetworkId, NodeId, ServiceId, TaskId } from '#model/id.ts'
import { seededRandom } from '#lib/random.ts'
import type { Network } from '#model/network.ts'
import type { StoredObject } from '#model/objects.ts'
import type { PortSpec } from '#model/service.ts'
import { aNode, aService, aTask, testEpoch } from '#model/testing/builders.ts'
import type { DataPlaneChange } from '#rpc/messages.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { DataPlaneFeed } from './feed.ts'

const random = seededRandom(4)
const ids = <T extends string>(count: number): T[] =>
  Array.from({ length: count }, () => newId(random) as string as T)
const nodes = ids<NodeId>(3)
const networks = ids<NetworkId>(3)
const services = ids<ServiceId>(3)
const tasks = ids<TaskId>(8)
/** A node that nothing is told to, whose tasks count all the same. */
const [, , silentNode] = nodes

type Entry = { readonly kind: StoredObject['kind']; readonly id: string; readonly object?: StoredObject }

const has = fc.integer({ min: 0, max: 4 }).map((number) => number > 0)
const some = <T>(values: readonly T[]) => fc.subarray([...values])

const aNetwork = (id: NetworkId, ingress: boolean): Network => {
  const meta = { id, name: id, version: 1, generation: 1, createdAt: testEpoch, updatedAt: testEpoch }
  return {
    kind: 'network',
    meta: { ...meta, labels: {} },
    spec: {
      ...{ name: id, labels: {}, driver: { name: 'overlay' }, ipv6: false, internal: false },
      ...{ attachable: true, ingress, ipam: { driver: { name: 'default' }, ranges: [] } },
    },
    status: { ranges: [] },
  }
}

/** There is one network of the mesh at most, and it may be replaced by another. */
const meshNetworks = networks.slice(0, 2)
const aMeshChange = fc
  .option(fc.constantFrom(...meshNetworks), { nil: undefined })
  .map((chosen): readonly Entry[] =>
    meshNetworks
      .toSorted((a, b) => Number(a === chosen) - Number(b === chosen))
      .map((id) => ({ kind: 'network', id, ...(id === chosen ? { object: aNetwork(id, true) } : {}) })),
  )

const aNodeEntry = fc
  .record({ id: fc.constantFrom(...nodes), isThere: has, address: fc.constantFrom('', '1.1.1.1', '1.1.1.2') })
  .map(({ id, isThere, address }): Entry => {
    const node = aNode({ status: { address } })
    return { kind: 'node', id, ...(isThere ? { object: { ...node, meta: { ...node.meta, id } } } : {}) }
  })

const aServiceEntry = fc
  .record({ id: fc.constantFrom(...services), isThere: has, on: some(networks), isPublished: fc.boolean() })
  .map(({ id, isThere, on, isPublished }): Entry => {
    const service = aService({ template: { containers: [], networks: on.map((target) => ({ target })) } })
    const port: PortSpec = { protocol: 'tcp', targetPort: 80, publishedPort: 8080, publishMode: 'ingress' }
    const status = {
      endpoint: {
        spec: { mode: 'vip' as const, ports: [] },
        virtualAddresses: on.map((networkId) => ({ networkId, address: '10.0.0.9/24' })),
        ports: isPublished ? [port] : [],
      },
    }
    const object = { ...service, meta: { ...service.meta, id }, status }
    return { kind: 'service', id, ...(isThere ? { object } : {}) }
  })

const aTaskEntry = fc
  .record({
    ...{ id: fc.constantFrom(...tasks), isThere: has, on: some(networks) },
    ...{ nodeId: fc.constantFrom<NodeId | ''>('', ...nodes), serviceId: fc.constantFrom(...services) },
    state: fc.constantFrom('pending' as const, 'running' as const, 'failed' as const),
  })
  .map(({ id, isThere, on, nodeId, serviceId, state }): Entry => {
    const attachments = on.map((networkId) => ({ networkId, addresses: ['10.0.0.3/24'], aliases: [] }))
    const task = aTask({ nodeId, serviceId, state, attachments })
    return { kind: 'task', id, ...(isThere ? { object: { ...task, meta: { ...task.meta, id } } } : {}) }
  })

const anEntry = fc.oneof(aNodeEntry, aServiceEntry, aTaskEntry).map((entry) => [entry])
/** What was written in one transaction, each object once. */
const aTransaction = fc
  .uniqueArray(fc.oneof({ weight: 1, arbitrary: aMeshChange }, { weight: 9, arbitrary: anEntry }), {
    selector: ([first]) => (first?.kind === 'network' ? 'network' : first?.id),
    minLength: 1,
    maxLength: 6,
  })
  .map((entries) => entries.flat())

const contents = (state: DataPlaneState) => ({
  hosts: [...state.hosts.values()].map((host) => JSON.stringify(host)).sort(),
  networks: [...state.networks]
    .sort()
    .map((id) => [
      id,
      ...[...state.members(id), ...state.endpoints(id)].map((one) => JSON.stringify(one)).sort(),
    ]),
})

/** What a node would be told that comes only now. */
function told(mirror: StoreMirror, node: NodeId): DataPlaneState {
  const state = new DataPlaneState()
  using feed = new DataPlaneFeed(mirror)
  feed.add(node, (change) => state.apply(change))
  return state
}

test('any sequence of differences leads where a full account leads', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aTransaction, { maxLength: 25 }), fc.nat(4), async (transactions, perTurn) => {
      const mirror = new StoreMirror(silentLogger)
      using feed = new DataPlaneFeed(mirror)
      const listening = nodes.filter((id) => id !== silentNode)
      const states = new Map(listening.map((id) => [id, new DataPlaneState()]))
      for (const [id, state] of states)
        feed.add(id, (change: DataPlaneChange) => {
          state.apply(change)
          feed.applied(id, change.sequence)
        })
      for (const [place, entries] of transactions.entries()) {
        mirror.apply({
          revision: place + 1,
          entries: entries.map(({ kind, id, object }) => ({ kind, id, object })),
        })
        // Some are told together.
        if (place % (perTurn + 1) === 0) await turn()
      }
      await turn()
      for (const [id, state] of states) assert.deepEqual(contents(state), contents(told(mirror, id)))
      assert.equal(feed.appliedRevision(), mirror.revision)
    }),
    { numRuns: 300 },
  )
})
