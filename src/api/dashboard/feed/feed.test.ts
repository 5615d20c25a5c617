import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '#lib/logger.ts'
import type { Control } from '#manager/control/control.ts'
import { aCluster, aNode, aService, aTask } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import type { LocalNode } from '../../backend.ts'
import type { Changes, Message, Snapshot } from '../wire.ts'
import { Feed } from './feed.ts'
import { Viewer } from './viewer.ts'

function watcher(): { viewer: Viewer; heard: Message[]; sink: Writable } {
  const heard: Message[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const data = /^data: (.*)$/m.exec(chunk.toString())?.[1]
      if (data !== undefined) heard.push(JSON.parse(data) as Message)
      done()
    },
  })
  return { viewer: new Viewer(sink), heard, sink }
}

function feedOver(mirror: StoreMirror, now = () => 0): Feed {
  const control = { view: mirror } as unknown as Control
  const followView: LocalNode['followView'] = (listener) => {
    listener(mirror)
    return { [Symbol.dispose]: () => undefined }
  }
  const node = { control: () => control, info: () => ({ nodeId: 'm1' }), followView } as unknown as LocalNode
  return new Feed(node, now)
}

const service = aService()
const task = aTask({ serviceId: service.meta.id, state: 'pending' })

test('everything first, then differences; what no page shows is not told', async () => {
  const mirror = new StoreMirror(silentLogger)
  const node = aNode()
  mirror.replace([aCluster(), node, service, task], 5)
  using feed = feedOver(mirror)
  const { viewer, heard } = watcher()
  feed.add(viewer, undefined)
  const snapshot = heard[0] as Snapshot
  assert.deepEqual(snapshot.rows.map((row) => row.kind).sort(), ['node', 'service', 'task'])
  assert.equal(snapshot.revision, 5)
  mirror.apply({
    revision: 6,
    entries: [
      { kind: 'node', id: node.meta.id, object: { ...node, meta: { ...node.meta, version: 6 } } },
      {
        kind: 'task',
        id: task.meta.id,
        object: { ...task, status: { ...task.status, state: 'running' } },
      },
    ],
  })
  await sleep(200)
  const changes = heard.at(-1) as Changes
  assert.deepEqual(
    changes.put.map((row) => row.kind),
    ['task'],
  )
  assert.equal(changes.events[0]?.action, 'running')
  feed.remove(viewer)
})

test('a viewer who comes back gets only what it missed', async () => {
  const mirror = new StoreMirror(silentLogger)
  mirror.replace([service], 5)
  using feed = feedOver(mirror)
  mirror.apply({ revision: 6, entries: [{ kind: 'task', id: task.meta.id, object: task }] })
  await sleep(200)
  const { viewer, heard } = watcher()
  feed.add(viewer, 5)
  assert.equal(heard[0]?.type, 'changes')
  const late = watcher()
  feed.add(late.viewer, 6)
  assert.equal(late.heard[0]?.type, 'contact')
  feed.remove(viewer)
  feed.remove(late.viewer)
})

test('while nobody watches only events are kept, and who comes after that is told everything', () => {
  const mirror = new StoreMirror(silentLogger)
  mirror.replace([service], 5)
  let now = 0
  using feed = feedOver(mirror, () => now)
  now = 120_000
  const running: typeof task = { ...task, status: { ...task.status, state: 'running' } }
  mirror.apply({ revision: 6, entries: [{ kind: 'task', id: task.meta.id, object: running }] })
  const { viewer, heard } = watcher()
  feed.add(viewer, 5)
  const snapshot = heard[0] as Snapshot
  assert.equal(snapshot.type, 'snapshot')
  assert.deepEqual(snapshot.rows.map((row) => row.kind).sort(), ['service', 'task'])
  assert.deepEqual(
    snapshot.events.map(({ action }) => action),
    ['running'],
  )
  feed.remove(viewer)
})

test('a viewer who never reads is let go; the others hear on', () => {
  const mirror = new StoreMirror(silentLogger)
  mirror.replace([service], 1)
  using feed = feedOver(mirror)
  const stuck = new Writable({ highWaterMark: 1, write: () => undefined })
  const viewer = new Viewer(stuck)
  feed.add(viewer, undefined)
  const big = 'x'.repeat(1024 * 1024)
  let kept = 0
  while (viewer.send(big, 1)) kept += 1
  assert.ok(kept < 20, String(kept))
  assert.ok(stuck.destroyed)
  feed.remove(viewer)
})
