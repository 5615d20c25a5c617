import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import { seededRandom } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create } from '#model/change.ts'
import type { NetworkSpec } from '#model/network.ts'
import { aNode } from '#model/testing/builders.ts'
import { MemoryStore } from '#store/memory/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import { runPipeline } from '../loop.ts'
import { attachContainer, releaseAttachment } from './attachments.ts'
import { createNetwork } from './networks.ts'
import { ObjectWriter } from './objects.ts'

/** Managers of one cluster, all on one store; the first leads. */
async function cluster(managers: number) {
  const stop = new AbortController()
  const store = new MemoryStore()
  const clock = systemClock
  const wait = startWait({ timeoutMs: 60_000, what: 'the test' })
  const node = aNode()
  await store.transact([create(node)], { wait })
  const writers = await Promise.all(
    Array.from({ length: managers }, async (_, index) => {
      const mirror = await startMirror(store, stop.signal, silentLogger)
      return new ObjectWriter({ mirror, store, clock, random: seededRandom(index + 1) })
    }),
  )
  const [first] = writers
  if (first === undefined) throw new Error('no manager')
  const leadership = await store.campaign('first', stop.signal)
  const { mirror } = first
  const running = runPipeline({
    store,
    mirror,
    leadership,
    clock,
    random: seededRandom(0),
    logger: silentLogger,
  })
  return {
    wait,
    nodeId: node.meta.id,
    writers,
    first,
    async [Symbol.asyncDispose]() {
      await leadership[Symbol.asyncDispose]()
      stop.abort()
      await running
      wait[Symbol.dispose]()
    },
  }
}

const spec = (name: string, subnet: string): NetworkSpec => ({
  name,
  labels: {},
  driver: { name: 'overlay' },
  ipv6: false,
  internal: false,
  attachable: true,
  ingress: false,
  ipam: { driver: { name: 'default' }, ranges: [{ subnet }] },
})

test('500 containers that come at once have an address each, and give them back', async () => {
  await using all = await cluster(1)
  const { first: writer, wait, nodeId } = all
  await createNetwork(writer, spec('open', '10.4.0.0/23'), { wait })
  const attach = (index: number) =>
    attachContainer(writer, { nodeId, network: 'open', name: `c${String(index)}` }, wait)
  const places = await Promise.all(Array.from({ length: 500 }, (_, index) => attach(index)))
  assert.equal(new Set(places.flatMap(({ addresses }) => addresses)).size, 500)
  // 512 less the network's own, its last and its gateway.
  const more = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => attach(500 + index)))
  const refused = more.filter((one) => one.status === 'rejected')
  assert.equal(refused.length, 11)
  for (const one of refused)
    assert.ok(
      isMureError(one.reason, 'forbidden') && /could not find an available IP/.test(one.reason.message),
    )
  await Promise.all(places.map(({ taskId }) => releaseAttachment(writer, taskId, wait)))
  const again = await Promise.all(Array.from({ length: 500 }, (_, index) => attach(index)))
  assert.equal(new Set(again.flatMap(({ addresses }) => addresses)).size, 500)
})

test('the same address, and overlapping networks, through several managers at once: one has it', async () => {
  await using all = await cluster(3)
  const { writers, wait, nodeId } = all
  const made = await Promise.allSettled(
    writers.map((writer, index) =>
      createNetwork(writer, spec(`net${String(index)}`, `10.5.0.0/${String(16 + index)}`), { wait }),
    ),
  )
  assert.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  const names = new Set([...all.first.mirror.list('network')].map((network) => network.spec.name))
  assert.equal(names.size, 1)
  const [network = ''] = names
  const places = await Promise.allSettled(
    writers.map((writer, index) =>
      attachContainer(writer, { nodeId, network, name: `c${String(index)}`, addresses: ['10.5.0.77'] }, wait),
    ),
  )
  assert.deepEqual(places.map(({ status }) => status).sort(), ['fulfilled', 'rejected', 'rejected'])
  const reason = places.find((one) => one.status === 'rejected')?.reason as unknown
  assert.ok(isMureError(reason, 'forbidden') && reason.message.includes('Address already in use'))
  assert.equal([...all.first.mirror.list('task')].length, 1)
})

test('a node that takes nothing new attaches nothing new', async () => {
  await using all = await cluster(1)
  const { first: writer, wait } = all
  await createNetwork(writer, spec('open', '10.6.0.0/24'), { wait })
  const drained = aNode({ availability: 'drain' })
  await writer.create(drained, wait)
  const attaching = attachContainer(writer, { nodeId: drained.meta.id, network: 'open', name: 'c' }, wait)
  await assert.rejects(attaching, /attaching to network failed.* not available for new tasks \(drain\)/)
})

test('a network of each host’s own is stored as it is, and a driver that is nobody’s is refused', async () => {
  await using managers = await cluster(1)
  const { first, wait } = managers
  const local = (name: string, driver: string): NetworkSpec => ({
    ...spec(name, ''),
    driver: { name: driver },
    ipam: { driver: { name: 'default' }, ranges: [] },
  })
  const made = await createNetwork(first, local('lan', 'macvlan'), { wait })
  assert.deepEqual(made.status, { ranges: [] })
  const place = await attachContainer(first, { nodeId: managers.nodeId, network: 'lan', name: 'c' }, wait)
  assert.deepEqual(place.addresses, [])
  await assert.rejects(createNetwork(first, local('bad', 'weave'), { wait }), /network driver weave is none/)
  await assert.rejects(
    createNetwork(first, { ...local('mesh', 'bridge'), ingress: true }, { wait }),
    /ingress network is an overlay/,
  )
})
