import type { Mount } from './container.ts'
import type { ServiceSpec } from './service.ts'

/** Among a volume's labels: `all` says that it bears several writers at a time. */
const sharingKey = 'mure.sharing'

/**
 * Two tasks of one slot cannot run side by side, so that the new one never starts first: they would want the same port
 * of a host, or write to the same volume.
 */
export function isExclusive({ endpoint, template }: ServiceSpec): boolean {
  const hasHostPort = (endpoint?.ports ?? []).some(
    (port) => port.publishMode === 'host' && (port.publishedPort ?? 0) > 0,
  )
  return hasHostPort || template.containers.some(({ mounts = [] }) => mounts.some(hasOneWriter))
}

/** A named volume that is written to. */
function hasOneWriter({ type, source = '', readOnly, volume }: Mount): boolean {
  if (type !== 'volume' || source === '' || readOnly === true) return false
  return volume?.labels?.[sharingKey] !== 'all'
}
