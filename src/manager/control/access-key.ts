import type { Wait } from '#lib/wait.ts'
import type { TokenMaker } from './cluster.ts'
import type { ObjectWriter } from './objects.ts'
import { theCluster } from './the-cluster.ts'

/** See `Control.accessKey`. */
export async function accessKey(
  writer: ObjectWriter,
  tokens: TokenMaker,
  options: { readonly wait: Wait; readonly rotate?: boolean },
): Promise<Buffer> {
  const { meta, status } = theCluster(writer.mirror)
  const rotate = options.rotate === true
  if (status.accessKey !== undefined && !rotate) return Buffer.from(status.accessKey, 'base64')
  const changed = await writer.change('cluster', meta.id, meta.version, options, (cluster) => ({
    ...cluster,
    status: {
      ...cluster.status,
      // Two managers may be asked at once: the first one's key stays.
      accessKey: rotate ? tokens.accessKey() : (cluster.status.accessKey ?? tokens.accessKey()),
    },
  }))
  return Buffer.from(changed.status.accessKey ?? '', 'base64')
}
