import { MureError } from '#lib/errors.ts'
import type { View } from '#manager/control/control.ts'
import type { Kind, ObjectsByKind } from '#model/objects.ts'

/** One object by what a person writes: its id, its name, or the beginning of its id, in that order as Docker does. */
export function find<K extends Kind>(view: View, kind: K, wanted: string): ObjectsByKind[K] {
  const byId = view.get(kind, wanted)
  if (byId !== undefined) return byId
  const named = [...view.list(kind)].filter((object) => object.meta.name === wanted)
  const found = named.length > 0 ? named : wanted === '' ? [] : view.byIdPrefix(kind, wanted)
  const [first] = found
  if (first === undefined) throw new MureError('not-found', `${kind} ${wanted} not found`)
  if (found.length > 1)
    throw new MureError('invalid', `${kind} ${wanted} is ambiguous (${String(found.length)} matches found)`)
  return first
}
