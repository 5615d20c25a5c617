import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { MureError } from '#lib/errors.ts'
import type { Engine } from './engine.ts'
import { engineError, readText } from './transport.ts'

const api = '/v1.41'

/** What an image is made of. */
export interface ImageContents {
  /** The digest of its configuration: equal ids are equal images. */
  readonly id: string
  /** The digests of its layers as they are unpacked, the lowest first. */
  readonly layers: readonly string[]
  readonly bytes: number
}

export async function imageContents(
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<ImageContents> {
  const path = `/images/${encodeURIComponent(image)}/json`
  const { Id, RootFS, Size } = await engine.json<{
    Id: string
    RootFS?: { Layers?: string[] | null }
    Size: number
  }>('GET', path, undefined, { signal })
  return { id: Id, layers: RootFS?.Layers ?? [], bytes: Size }
}

export async function imageIds(engine: Engine, signal: AbortSignal): Promise<string[]> {
  const images = await engine.json<{ Id: string }[]>('GET', '/images/json', undefined, { signal })
  return images.map(({ Id }) => Id)
}

export async function tagImage(
  engine: Engine,
  id: string,
  name: { readonly name: string; readonly tag: string },
  signal: AbortSignal,
): Promise<void> {
  const query = new URLSearchParams({ repo: name.name, tag: name.tag })
  await engine.json('POST', `/images/${id}/tag?${query.toString()}`, undefined, { signal }).catch(
    // The answer is empty.
    (error: unknown) => {
      if (!(error instanceof SyntaxError)) throw error
    },
  )
}

/** The image as an archive, as of `docker save`. */
export async function saveImage(
  engine: Engine,
  image: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const path = `${api}/images/get?names=${encodeURIComponent(image)}`
  const response = await engine.raw({ method: 'GET', path, signal })
  if (response.statusCode === 200) return response
  throw engineError(response.statusCode ?? 0, await readText(response))
}

/** As `docker load`. An archive that breaks off is an error, and leaves nothing. */
export async function loadImage(engine: Engine, archive: Readable, signal: AbortSignal): Promise<void> {
  const broken = new AbortController()
  const onError = (error: Error) => {
    broken.abort(error)
  }
  archive.once('error', onError)
  try {
    const response = await engine.raw({
      method: 'POST',
      path: `${api}/images/load?quiet=1`,
      headers: { 'content-type': 'application/x-tar' },
      body: archive,
      signal: AbortSignal.any([signal, broken.signal]),
    })
    const text = await readText(response)
    if (response.statusCode !== 200) throw engineError(response.statusCode ?? 0, text)
    // Failures come inside an answer that began well.
    for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
      const { error } = JSON.parse(line) as { error?: string }
      if (error !== undefined) throw engineError(500, error)
    }
  } catch (error) {
    if (!broken.signal.aborted) throw error
    throw new MureError('unavailable', 'the archive of the image broke off', { cause: broken.signal.reason })
  } finally {
    archive.off('error', onError)
  }
}
