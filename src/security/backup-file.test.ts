import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openBackup, sealBackup } from './backup-file.ts'

const head = { clusterId: 'c1', createdAt: '2026-01-01T00:00:00.000Z', advertiseAddress: '10.0.0.1:2377' }
const secrets = { dataKeys: [{ id: 1, key: 'a2V5' }] }
const snapshot = randomBytes(300_000)
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-backup-'))
})
after(() => rm(folder, { recursive: true }))

async function* chunks(of: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < of.length; at += size) yield of.subarray(at, at + size)
}

async function made(unlockKey?: Buffer): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of sealBackup(head, secrets, chunks(snapshot, 4_096), unlockKey)) parts.push(part)
  return Buffer.concat(parts)
}

const opened = (backup: Buffer, unlockKey?: Buffer, size = 1_000) =>
  openBackup(chunks(backup, size), join(folder, 'snapshot'), unlockKey)

test('what is saved comes back, however it is cut into chunks', async () => {
  const backup = await made()
  for (const size of [7, 1_000, 1_000_000]) {
    const back = await opened(backup, undefined, size)
    assert.deepEqual(back.secrets, secrets)
    assert.equal(back.head.clusterId, 'c1')
    assert.ok(!back.head.isLocked)
    assert.ok(snapshot.equals(await readFile(join(folder, 'snapshot'))))
  }
})

test('a locked one opens with its key alone, and shows nothing without', async () => {
  const key = randomBytes(32)
  const backup = await made(key)
  assert.ok(!backup.includes('a2V5') && !backup.includes(snapshot.subarray(0, 32)))
  assert.deepEqual((await opened(backup, key)).secrets, secrets)
  await assert.rejects(opened(backup), /locked: give the unlock key/)
  await assert.rejects(opened(backup, randomBytes(32)), /not its unlock key/)
})

test('what is damaged, cut off, or something else is refused', async () => {
  const backup = await made()
  const damaged = Buffer.from(backup)
  damaged[damaged.length - 100] = (damaged[damaged.length - 100] ?? 0) ^ 1
  await assert.rejects(opened(damaged), /damaged/)
  await assert.rejects(opened(backup.subarray(0, 50_000)), /damaged/)
  await assert.rejects(opened(backup.subarray(0, 40)), /not a backup of a swarm/)
  await assert.rejects(opened(Buffer.from('{"a":1}\nrest')), /not a backup of a swarm/)
  const moved = Buffer.from(backup.toString('latin1').replace('10.0.0.1', '10.0.0.2'), 'latin1')
  await assert.rejects(opened(moved), /damaged/)
})
