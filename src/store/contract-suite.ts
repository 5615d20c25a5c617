import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isMureError } from '#lib/errors.ts'
import { silentLogger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import { create, remove, update } from '#model/change.ts'
import type { ObjectEvent } from '#model/change.ts'
import { aService, aTask } from '#model/testing/builders.ts'
import type { Store } from './contract.ts'
import { startMirror } from './mirror/mirror.ts'

/** What every store does; numbers are those of `store/contract.ts`. `open` gives an empty store. */
export function storeContract(name: string, open: () => Promise<{ store: Store } & AsyncDisposable>): void {
  const within = () => startWait({ timeoutMs: 10_000, what: `the ${name} store` })
  const refused = (code: 'conflict' | 'already-exists' | 'precondition') => (error: unknown) =>
    isMureError(error, code)

  test(`${name}: 1. a transaction happens whole or not at all, and its objects share the new version`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const web = aService({ name: 'web' })
    const { revision } = await store.transact([create(web), create(aTask({ serviceId: web.meta.id }))], {
      wait,
    })
    assert.equal((await store.get('service', web.meta.id, { wait }))?.meta.version, revision)
    const api = aService({ name: 'api' })
    await assert.rejects(store.transact([create(api), update(web)], { wait }), refused('conflict'))
    assert.equal(await store.get('service', api.meta.id, { wait }), undefined)
  })

  test(`${name}: 2. versions guard updates and removals, names and ids guard creations`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const web = aService({ name: 'web' })
    const first = await store.transact([create(web)], { wait })
    await assert.rejects(
      store.transact([create(aService({ name: 'web' }))], { wait }),
      refused('already-exists'),
    )
    const seen = { ...web, meta: { ...web.meta, version: first.revision } }
    const second = await store.transact([update(seen)], { wait })
    await assert.rejects(store.transact([update(seen)], { wait }), refused('conflict'))
    await assert.rejects(store.transact([remove(seen)], { wait }), refused('conflict'))
    const newest = { ...web, meta: { ...web.meta, version: second.revision } }
    await store.transact([remove(newest)], { wait })
    await store.transact([create(aService({ name: 'web' }))], { wait })
  })

  test(`${name}: 3. a deposed leader can change nothing`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const first = await store.campaign('m1', wait.signal)
    assert.equal(await store.leader(wait), 'm1')
    await store.transact([create(aService({ name: 'a' }))], { wait, fence: first.fence })
    const next = store.campaign('m2', wait.signal)
    await first[Symbol.asyncDispose]()
    assert.equal(first.signal.aborted, true)
    await using second = await next
    assert.equal(await store.leader(wait), 'm2')
    await assert.rejects(
      store.transact([create(aService({ name: 'b' }))], { wait, fence: first.fence }),
      refused('precondition'),
    )
    await store.transact([create(aService({ name: 'b' }))], { wait, fence: second.fence })
  })

  test(`${name}: an object can be read as it was`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const web = aService({ name: 'web' })
    const first = await store.transact([create(web)], { wait })
    const changed = { ...web, meta: { ...web.meta, version: first.revision, generation: 2 } }
    await store.transact([update(changed)], { wait })
    assert.equal(
      (await store.get('service', web.meta.id, { wait, revision: first.revision }))?.meta.generation,
      1,
    )
    assert.equal((await store.get('service', web.meta.id, { wait }))?.meta.generation, 2)
  })

  test(`${name}: a mirror follows, and tells each change once`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const web = aService({ name: 'web' })
    await store.transact([create(web)], { wait })
    const stop = new AbortController()
    try {
      const mirror = await startMirror(store, stop.signal, silentLogger)
      assert.equal(mirror.byName('service', 'web')?.meta.id, web.meta.id)
      const events: ObjectEvent[] = []
      using _ = mirror.subscribe((some) => events.push(...some))
      const task = aTask({ serviceId: web.meta.id })
      const { revision } = await store.transact([create(task)], { wait })
      await mirror.reached(revision, wait)
      assert.deepEqual(
        [...mirror.tasksOfService(web.meta.id)].map((found) => found.meta.id),
        [task.meta.id],
      )
      const stored = mirror.get('task', task.meta.id)
      assert.ok(stored)
      // Also of what was written through this very store.
      assert.deepEqual(stored, await store.get('task', task.meta.id, { wait }))
      const removed = await store.transact([remove(stored)], { wait })
      await mirror.reached(removed.revision, wait)
      assert.deepEqual([...mirror.tasksOfService(web.meta.id)], [])
      assert.deepEqual(
        events.map((event) => [event.before === undefined, event.after === undefined]),
        [
          [true, false],
          [false, true],
        ],
      )
      assert.ok((await store.currentRevision(wait)) >= removed.revision)
      // An election is a change of no object, and its revision is reached all the same.
      await using leadership = await store.campaign('m1', wait.signal)
      assert.ok(leadership.fence.createRevision > removed.revision)
      await mirror.reached(await store.currentRevision(wait), wait)
    } finally {
      stop.abort()
    }
  })

  test(`${name}: thousands of changes are one transaction`, async () => {
    await using opened = await open()
    const { store } = opened
    using wait = within()
    const tasks = Array.from({ length: 3_000 }, () => aTask({}))
    await store.transact(tasks.map(create), { wait })
    const stop = new AbortController()
    try {
      const mirror = await startMirror(store, stop.signal, silentLogger)
      assert.equal(mirror.count('task'), 3_000)
    } finally {
      stop.abort()
    }
  })
}
