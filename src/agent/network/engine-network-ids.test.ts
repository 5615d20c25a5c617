import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { EngineNetworkIds } from './engine-network-ids.ts'

test('what a process learned the next one knows; a broken file is as none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'engine-network-ids-'))
  const path = join(folder, 'ids.json')
  try {
    const first = await EngineNetworkIds.read(path)
    await first.put('engine1', 'own1')
    await first.put('engine2', 'own2')
    await first.remove('engine1')
    const second = await EngineNetworkIds.read(path)
    assert.deepEqual([second.get('engine1'), second.get('engine2')], [undefined, 'own2'])
    await writeFile(path, '{')
    assert.equal((await EngineNetworkIds.read(path)).get('engine2'), undefined)
  } finally {
    await rm(folder, { recursive: true })
  }
})
