import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { readFileIfThere, writeFileAtomic, writeStreamWhole } from './atomic-file.ts'

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

test('a stream replaces a file whole and private, whatever lies beside it; one that fails leaves the old file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mure-whole-'))
  try {
    const path = join(folder, 'backup')
    await writeFile(`${path}.part`, 'readable to all', { mode: 0o644 })
    await writeStreamWhole(path, Readable.from(['one ', 'two']))
    assert.equal(await readFile(path, 'utf8'), 'one two')
    assert.equal((await stat(path)).mode & 0o777, 0o600)
    const failing = Readable.from(
      (function* () {
        yield 'three'
        throw new Error('cut off')
      })(),
    )
    await assert.rejects(writeStreamWhole(path, failing), /cut off/)
    assert.equal(await readFile(path, 'utf8'), 'one two')
    assert.deepEqual(await readdir(folder), ['backup'])
  } finally {
    await rm(folder, { recursive: true })
  }
})
