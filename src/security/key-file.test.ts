import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { isMureError } from '#lib/errors.ts'
import { KeyFile } from './key-file.ts'
import { newKey } from './seal.ts'

const keys = { key: 'the key', certificate: 'the certificate', trust: 'the roots' }

async function aPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mure-keys-'))
  t.after(() => rm(folder, { recursive: true }))
  return join(folder, 'sub', 'keys.json')
}

test('keys are kept private to their owner', async (t) => {
  const path = await aPath(t)
  const file = new KeyFile(path)
  assert.equal(await file.read(), undefined)
  await file.write(keys)
  assert.deepEqual(await new KeyFile(path).read(), keys)
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  assert.deepEqual(await readdir(join(path, '..')), ['keys.json'])
})

test('a locked file opens with its key alone, and stays locked when it is written again', async (t) => {
  const path = await aPath(t)
  const [first, second] = [newKey(), newKey()]
  await new KeyFile(path).lock(keys, first)
  assert.doesNotMatch(await readFile(path, 'utf8'), /the key|the certificate/)
  await assert.rejects(
    new KeyFile(path).read(),
    (error: unknown) => isMureError(error, 'precondition') && error.details?.['locked'] === true,
  )
  await assert.rejects(
    new KeyFile(path).read(second),
    (error: unknown) => isMureError(error, 'precondition') && error.details?.['wrongKey'] === true,
  )
  const file = new KeyFile(path)
  assert.deepEqual(await file.read(first), keys)
  await file.write({ ...keys, key: 'renewed' })
  assert.equal((await new KeyFile(path).read(first))?.key, 'renewed')

  await file.lock(keys, second)
  await assert.rejects(new KeyFile(path).read(first))
  assert.deepEqual(await new KeyFile(path).read(second), keys)

  await file.lock(keys, undefined)
  assert.deepEqual(await new KeyFile(path).read(), keys)
})

test('writers come one after the other', async (t) => {
  const path = await aPath(t)
  const file = new KeyFile(path)
  const unlockKey = newKey()
  await Promise.all([
    file.write({ ...keys, key: '1' }),
    file.lock({ ...keys, key: '2' }, unlockKey),
    file.write({ ...keys, key: '3' }),
  ])
  assert.equal((await new KeyFile(path).read(unlockKey))?.key, '3')
})

test('a forgotten file takes its lock along', async (t) => {
  const path = await aPath(t)
  const file = new KeyFile(path)
  await file.lock(keys, newKey())
  await file.forget()
  assert.equal(await file.read(), undefined)
  await file.write(keys)
  assert.deepEqual(await new KeyFile(path).read(), keys)
})

test('a damaged file is said to be one', async (t) => {
  const path = await aPath(t)
  await new KeyFile(path).write(keys)
  for (const content of ['', '{"keys"', '{}', '[]', 'null', '"x"', '{"sealed": 7}', '{"sealed": "AAAA"}']) {
    await writeFile(path, content)
    await assert.rejects(
      new KeyFile(path).read(newKey()),
      (error: unknown) => isMureError(error, 'internal') && /damaged/.test(error.message),
      content,
    )
  }
})
