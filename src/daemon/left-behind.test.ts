import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeLeftBehind, removeSnapshots, snapshotName } from './left-behind.ts'

test('snapshots that no backup came of go, and so does the store of a cluster that was left', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'mure-left-'))
  try {
    await mkdir(join(dataDir, 'etcd', 'member'), { recursive: true })
    for (const name of [snapshotName('1'), 'managers.json', 'backup-of-mine'])
      await writeFile(join(dataDir, name), '')
    await removeSnapshots(dataDir)
    assert.deepEqual((await readdir(dataDir)).sort(), ['backup-of-mine', 'etcd', 'managers.json'])
    await removeLeftBehind(dataDir)
    assert.deepEqual(await readdir(dataDir), ['backup-of-mine'])
    await removeSnapshots(join(dataDir, 'nowhere'))
  } finally {
    await rm(dataDir, { recursive: true })
  }
})
