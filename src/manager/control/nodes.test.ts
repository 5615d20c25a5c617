import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { seededRandom } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create, update } from '#model/change.ts'
import type { NodeRole } from '#model/node.ts'
import { aNode } from '#model/testing/builders.ts'
import { MemoryStore } from '#store/memory/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import { removeNode } from './nodes.ts'
import { ObjectWriter } from './objects.ts'

async function writerWith(wanted: NodeRole, is: NodeRole) {
  const stop = new AbortController()
  const store = new MemoryStore()
  const wait = startWait({ timeoutMs: 60_000, what: 'the test' })
  const base = aNode()
  const node = { ...base, spec: { ...base.spec, role: wanted }, status: { ...base.status, role: is } }
  await store.transact([create(node)], { wait })
  const mirror = await startMirror(store, stop.signal, silentLogger)
  const writer = new ObjectWriter({ mirror, store, clock: systemClock, random: seededRandom(1) })
  return {
    id: node.meta.id,
    mirror,
    store,
    wait,
    writer,
    [Symbol.dispose]() {
      stop.abort()
      wait[Symbol.dispose]()
    },
  }
}

test('a node whose demotion is on its way is removed once it is a worker', async () => {
  using it = await writerWith('worker', 'manager')
  const removing = removeNode(it.writer, it.id, true, { wait: it.wait })
  await new Promise((resolve) => setImmediate(resolve))
  const node = it.mirror.get('node', it.id)
  assert.ok(node !== undefined)
  await it.store.transact([update({ ...node, status: { ...node.status, role: 'worker' } })], {
    wait: it.wait,
  })
  await removing
  assert.equal(it.mirror.get('node', it.id), undefined)
})

test('a manager is refused at once', async () => {
  using it = await writerWith('manager', 'manager')
  await assert.rejects(removeNode(it.writer, it.id, true, { wait: it.wait }), /It must be demoted to worker/)
})
