import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFileIfThere, writeFileAtomic } from './atomic-file.ts'

test('a file is replaced whole, private, and leaves nothing beside it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mure-atomic-'))
  try {
    const path = join(folder, 'deep', 'state.json')
    assert.equal(await readFileIfThere(path), undefined)
    await writeFileAtomic(path, 'one')
    await writeFileAtomic(path, 'two')
    assert.equal(await readFileIfThere(path), 'two')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    assert.deepEqual(await readdir(join(folder, 'deep')), ['state.json'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
