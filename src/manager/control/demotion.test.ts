import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { seededRandom } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create } from '#model/change.ts'
import { aCluster, aNode } from '#model/testing/builders.ts'
import type { TransactOptions } from '#store/contract.ts'
import { MemoryStore } from '#store/memory/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import { updateNode } from './nodes.ts'
import { ObjectWriter } from './objects.ts'

/** A store to which writes take a while to come, so that two are decided before either is there. */
class SlowStore extends MemoryStore {
  delay: Promise<void> = Promise.resolve()

  override async transact(...[changes, options]: [Parameters<MemoryStore['transact']>[0], TransactOptions]) {
    await this.delay
    return super.transact(changes, options)
  }
}

test('two managers that are demoted at the same time do not leave the swarm without one', async () => {
  using wait = startWait({ timeoutMs: 10_000, what: 'the test' })
  const stop = new AbortController()
  const store = new SlowStore()
  const nodes = ['1', '2'].map((memberId) =>
    aNode({
      role: 'manager',
      status: {
        role: 'manager',
        manager: { memberId, address: '', peerUrl: '', leader: memberId === '1', reachability: 'reachable' },
      },
    }),
  )
  await store.transact([create(aCluster()), ...nodes.map(create)], { wait })
  const mirror = await startMirror(store, stop.signal, silentLogger)
  const writer = new ObjectWriter({ mirror, store, clock: systemClock, random: seededRandom(1) })
  const both = Promise.withResolvers<void>()
  store.delay = both.promise
  const demotions = nodes.map(async ({ meta, spec }) => {
    const version = mirror.get('node', meta.id)?.meta.version ?? 0
    await updateNode(writer, meta.id, version, { ...spec, role: 'worker' }, { wait })
  })
  both.resolve()
  const results = await Promise.allSettled(demotions)
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  const [refused] = results.filter((result) => result.status === 'rejected')
  assert.match(String(refused?.reason), /last manager/)
  assert.equal([...mirror.list('node')].filter(({ spec }) => spec.role === 'manager').length, 1)
  stop.abort()
})
