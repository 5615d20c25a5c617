import type { Kind } from '#model/objects.ts'
import { kinds } from '#model/objects.ts'

/** Everything of ours in etcd lies below this. */
export const root = '/mure/'
const objects = `${root}objects/`
const names = `${root}names/`
export const leaderKey = `${root}leader`

export const objectKey = (kind: Kind, id: string): string => `${objects}${kind}/${id}`
export const nameKey = (kind: Kind, name: string): string => `${names}${kind}/${name}`
export const objectsPrefix = objects

/** The end of the range of all keys with this prefix. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix)
  end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1)
  return end
}

export function parseObjectKey(key: string): { kind: Kind; id: string } | undefined {
  if (!key.startsWith(objects)) return undefined
  const slash = key.indexOf('/', objects.length)
  if (slash < 0) return undefined
  const kind = key.slice(objects.length, slash)
  return kinds.includes(kind as Kind) ? { kind: kind as Kind, id: key.slice(slash + 1) } : undefined
}
