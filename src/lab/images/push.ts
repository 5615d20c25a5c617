import { request } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { once } from 'node:events'
import { MureError } from '#lib/errors.ts'
import { manifestType } from './build.ts'
import type { Blob, BuiltImage } from './build.ts'

/**
 * Puts an image into a registry that listens at a unix socket.
 * @see https://distribution.github.io/distribution/spec/api/#pushing-an-image
 */
export async function pushImage(socketPath: string, image: BuiltImage): Promise<void> {
  for (const blob of image.blobs) await pushBlob(socketPath, image.name, blob)
  const path = `/v2/${image.name}/manifests/${image.tag}`
  await send(
    { socketPath, method: 'PUT', path, headers: { 'content-type': manifestType } },
    201,
    image.manifest,
  )
}

async function pushBlob(socketPath: string, repository: string, blob: Blob): Promise<void> {
  const started = await send({ socketPath, method: 'POST', path: `/v2/${repository}/blobs/uploads/` }, 202)
  const upload = new URL(started.headers.location ?? '', 'http://registry')
  upload.searchParams.set('digest', blob.digest)
  const headers = { 'content-type': 'application/octet-stream', 'content-length': blob.bytes.length }
  await send({ socketPath, method: 'PUT', path: upload.pathname + upload.search, headers }, 201, blob.bytes)
}

async function send(options: RequestOptions, expected: number, body?: Buffer): Promise<IncomingMessage> {
  const outgoing = request({ host: 'registry', ...options })
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const text = Buffer.concat(await response.toArray()).toString()
  if (response.statusCode === expected) return response
  const asked = `${options.method ?? 'GET'} ${options.path ?? ''}`
  throw new MureError('internal', `the registry answered ${String(response.statusCode)} to ${asked}: ${text}`)
}
