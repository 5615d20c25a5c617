import type { Kind, ObjectsByKind, StoredObject } from './objects.ts'

/**
 * What a decision asks the store to do. An update and a removal carry the version that the decision saw
 * (`object.meta.version`, `version`): if the object has changed since, the whole transaction is refused.
 */
export type Change =
  | { readonly op: 'create'; readonly object: StoredObject }
  | { readonly op: 'update'; readonly object: StoredObject }
  | {
      readonly op: 'remove'
      readonly kind: Kind
      readonly id: string
      readonly version: number
      readonly name: string
    }

export const create = (object: StoredObject): Change => ({ op: 'create', object })
export const update = (object: StoredObject): Change => ({ op: 'update', object })
export const remove = (object: StoredObject): Change => ({
  op: 'remove',
  kind: object.kind,
  id: object.meta.id,
  version: object.meta.version,
  name: object.meta.name,
})

/** What happened, as the mirror tells it. `before` and `after` are absent for creations and removals. */
export interface ObjectEvent<K extends Kind = Kind> {
  readonly kind: K
  readonly revision: number
  readonly before: ObjectsByKind[K] | undefined
  readonly after: ObjectsByKind[K] | undefined
}
