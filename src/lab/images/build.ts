import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { arch } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { exec } from '#lib/exec.ts'
import type { SeedImage } from './seed-image.ts'

export interface Blob {
  /** `sha256:` and 64 hexadecimal digits */
  readonly digest: string
  readonly bytes: Buffer
}

/** An image as a registry keeps it. */
export interface BuiltImage {
  readonly name: string
  readonly tag: string
  readonly blobs: readonly Blob[]
  readonly manifest: Buffer
}

export const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'
const configType = 'application/vnd.docker.container.image.v1+json'
const layerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip'
/** Equal files give an equal image on every machine. */
const created = '1970-01-01T00:00:00Z'
const architectures: Readonly<Record<string, string>> = { x64: 'amd64' }

/**
 * An image of one layer, with no engine involved. Its files are laid out in a folder below `scratch` meanwhile.
 * @see https://distribution.github.io/distribution/spec/manifest-v2-2/
 */
export async function buildImage(image: SeedImage, scratch: string): Promise<BuiltImage> {
  const tar = await rootTar(image, scratch)
  const layer = blobOf(await promisify(gzip)(tar))
  const config = blobOf(
    Buffer.from(
      JSON.stringify({
        architecture: architectures[arch()] ?? arch(),
        os: 'linux',
        created,
        config: image.config,
        rootfs: { type: 'layers', diff_ids: [blobOf(tar).digest] },
        history: [{ created, created_by: `mure lab: ${image.name}` }],
      }),
    ),
  )
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: configType, size: config.bytes.length, digest: config.digest },
    layers: [{ mediaType: layerType, size: layer.bytes.length, digest: layer.digest }],
  }
  return {
    name: image.name,
    tag: image.tag,
    blobs: [layer, config],
    manifest: Buffer.from(JSON.stringify(manifest)),
  }
}

function blobOf(bytes: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes }
}

async function rootTar(image: SeedImage, scratch: string): Promise<Buffer> {
  const folder = await mkdtemp(join(scratch, 'image-'))
  try {
    const root = join(folder, 'root')
    await mkdir(root)
    await image.fill(root)
    const tar = join(folder, 'layer.tar')
    await exec('tar', [
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      '--sort=name',
      '--mtime=@0',
      '-C',
      root,
      '-cf',
      tar,
      '.',
    ])
    return await readFile(tar)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
