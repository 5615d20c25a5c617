import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { tarParts } from './tar.ts'
import { withoutLayers } from './without-layers.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-layers-'))
})
after(() => rm(folder, { recursive: true }))

function entry(name: string, body: Buffer, type = '0'): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write(type, 156)
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)])
}

const end = Buffer.alloc(1024)
const digest = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`
const hex = (bytes: Buffer) => digest(bytes).slice(7)

/** In pieces that end anywhere. */
async function* pieces(archive: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < archive.length; at += size)
    yield await Promise.resolve(archive.subarray(at, at + size))
}

async function filtered(archive: Buffer, omitted: readonly string[], size: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of withoutLayers(pieces(archive, size), new Set(omitted), folder)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const [one, two] = [randomBytes(3_000), randomBytes(512)]
const id = (letter: string) => letter.repeat(64)

test('of an older archive, layers are left out by what is in them', async () => {
  const first = entry(`${id('a')}/layer.tar`, one)
  const second = entry(`${id('b')}/layer.tar`, two)
  const rest = [entry(`${id('b')}/json`, Buffer.from('{}')), entry('manifest.json', one)]
  const archive = Buffer.concat([first, second, ...rest, end])
  for (const size of [100, 512, 100_000]) {
    assert.deepEqual(await filtered(archive, [digest(one)], size), Buffer.concat([second, ...rest, end]))
    assert.deepEqual(await filtered(archive, [digest(Buffer.from('other'))], size), archive)
  }
  assert.deepEqual(await readdir(folder), [])
})

test('of a newer archive, layers are left out by their names', async () => {
  const first = entry(`blobs/sha256/${hex(one)}`, one)
  const rest = [entry(`blobs/sha256/${hex(two)}`, two), entry('index.json', Buffer.from('{}'))]
  const archive = Buffer.concat([first, ...rest, end])
  assert.deepEqual(await filtered(archive, [digest(one)], 700), Buffer.concat([...rest, end]))
})

test('an archive that breaks off is an error', async () => {
  const archive = entry(`${id('a')}/layer.tar`, one)
  await assert.rejects(filtered(archive.subarray(0, 2_000), [digest(one)], 512), /broke off/)
  await assert.rejects(filtered(archive.subarray(0, 100), [digest(one)], 512), /broke off/)
})

test('all parts together are the archive', async () => {
  const archive = Buffer.concat([entry('a', one), entry('link', Buffer.alloc(0), '2'), entry('b', two), end])
  for (const size of [13, 512, 5_000]) {
    const chunks: Buffer[] = []
    for await (const part of tarParts(pieces(archive, size)))
      chunks.push(part.type === 'entry' ? part.entry.header : part.bytes)
    assert.deepEqual(Buffer.concat(chunks), archive)
  }
})
