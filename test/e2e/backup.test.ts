import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { root } from '#cli/tool.ts'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-backup-'))
  cluster = await TestCluster.up({ name: 'e2ebackup', managers: 1, workers: 1 })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const mure = (host: string, ...args: string[]) => cluster.run(host, join(root, 'mure'), ...args)

test('a swarm comes back from its backup with its objects, tokens and workers', async () => {
  await cluster.docker('manager01', 'service', 'create', '-q', '--name', 'web', '--replicas', '4', webImage)
  const token = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  const tasks = await cluster.docker('worker01', 'ps', '-q', '--no-trunc')
  const file = join(folder, 'plain')
  await mure('manager01', 'backup', file)
  await cluster.docker('manager01', 'swarm', 'leave', '--force')
  await assert.rejects(mure('manager01', 'restore', join(folder, 'nothing')), /cannot be read/)
  await writeFile(join(folder, 'junk'), 'not a backup\n')
  await assert.rejects(mure('manager01', 'restore', join(folder, 'junk')), /not a backup of a swarm/)
  assert.equal(await cluster.docker('manager01', 'info', '--format', '{{.Swarm.LocalNodeState}}'), 'inactive')

  await mure('manager01', 'restore', file)
  assert.equal(await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker'), token)
  await cluster.untilRunning('manager01', 'web', 4)
  assert.equal(await cluster.docker('worker01', 'ps', '-q', '--no-trunc'), tasks)
  await assert.rejects(mure('manager01', 'restore', file), /already part of a swarm/)
})

test('the backup of a locked swarm opens with its unlock key alone', async () => {
  await cluster.docker('manager01', 'swarm', 'update', '--autolock')
  const key = await cluster.docker('manager01', 'swarm', 'unlock-key', '-q')
  const file = join(folder, 'locked')
  await mure('manager01', 'backup', file)
  assert.ok(!(await readFile(file)).includes('BEGIN'))
  await cluster.docker('manager01', 'swarm', 'leave', '--force')
  await assert.rejects(mure('manager01', 'restore', file), /is locked: give the unlock key/)
  await cluster.run('manager01', 'env', `MURE_UNLOCK_KEY=${key}`, join(root, 'mure'), 'restore', file)
  assert.equal(await cluster.docker('manager01', 'swarm', 'unlock-key', '-q'), key)
  await cluster.untilRunning('manager01', 'web', 4)
})

test('a worker has nothing to back up, and says so', async () => {
  await assert.rejects(mure('worker01', 'backup', join(folder, 'none')), /This node is not a swarm manager/)
  await assert.rejects(readFile(join(folder, 'none')), /ENOENT/)
})
