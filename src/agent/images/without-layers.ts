import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tarParts } from './tar.ts'
import type { TarEntry } from './tar.ts'

/**
 * An image's archive without the layers that the other side has: an engine that loads it takes those from its own.
 * Newer engines name a layer's file by its digest; older ones do not, so it is kept aside until its digest is known.
 * `folder`: where.
 */
export async function* withoutLayers(
  archive: AsyncIterable<Buffer>,
  omitted: ReadonlySet<string>,
  folder: string,
): AsyncGenerator<Buffer> {
  if (omitted.size === 0) {
    yield* archive
    return
  }
  await mkdir(folder, { recursive: true })
  const aside = await mkdtemp(join(folder, 'layer-'))
  try {
    const parts = tarParts(archive)[Symbol.asyncIterator]()
    for (;;) {
      const next = await parts.next()
      if (next.done === true) return
      const part = next.value
      if (part.type !== 'entry') {
        yield part.bytes
        continue
      }
      const { entry } = part
      const body = bodyOf(parts, entry)
      const digest = digestInName(entry.name)
      if (!entry.isFile || entry.bytes === 0 || (digest === undefined && !isLayer(entry.name))) {
        yield entry.header
        yield* body
      } else if (digest !== undefined) {
        if (omitted.has(digest)) await drain(body)
        else {
          yield entry.header
          yield* body
        }
      } else yield* unlessOmitted(entry, body, omitted, join(aside, 'layer.tar'))
    }
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

const isLayer = (name: string): boolean => /^[0-9a-f]{64}\/layer\.tar$/.test(name)

function digestInName(name: string): string | undefined {
  const [, digest] = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(name) ?? []
  return digest === undefined ? undefined : `sha256:${digest}`
}

async function* unlessOmitted(
  entry: TarEntry,
  body: AsyncGenerator<Buffer>,
  omitted: ReadonlySet<string>,
  aside: string,
): AsyncGenerator<Buffer> {
  const hash = createHash('sha256')
  const file = await open(aside, 'w')
  let left = entry.bytes
  try {
    for await (const bytes of body) {
      // The padding is no part of the file.
      hash.update(bytes.subarray(0, left))
      left -= Math.min(left, bytes.length)
      await file.writeFile(bytes)
    }
  } finally {
    await file.close()
  }
  if (omitted.has(`sha256:${hash.digest('hex')}`)) return
  yield entry.header
  yield* createReadStream(aside) as AsyncIterable<Buffer>
}

async function* bodyOf(
  parts: AsyncIterator<{ type: string; bytes?: Buffer }>,
  entry: TarEntry,
): AsyncGenerator<Buffer> {
  let left = entry.paddedBytes
  while (left > 0) {
    const next = await parts.next()
    if (next.done === true) return
    const { bytes } = next.value
    if (bytes === undefined) return
    left -= bytes.length
    yield bytes
  }
}

async function drain(body: AsyncGenerator<Buffer>): Promise<void> {
  for await (const _ of body) continue
}
