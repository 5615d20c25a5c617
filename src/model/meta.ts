import type { Instant } from '#lib/clock.ts'
import type { ObjectId } from './id.ts'

/** Free-form key and value pairs that people and tools attach to objects. */
export type Labels = Readonly<Record<string, string>>

/** What every stored object carries beside its spec and status. */
export interface Meta<Id extends ObjectId = ObjectId> {
  /** Never changes. */
  readonly id: Id
  /** Unique within a kind (tasks and events have none: ''). */
  readonly name: string
  /** The store's revision of the last write: Docker's `Version.Index`, Kubernetes' `resourceVersion`. 0 until stored. */
  readonly version: number
  /** Grows by one whenever the spec changes, and only then. */
  readonly generation: number
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly labels: Labels
  /** What only one dialect knows, kept as it was sent and given back to that dialect alone. */
  readonly dialect?: Readonly<Record<string, unknown>>
}

/** The head of an object that is about to be stored for the first time. */
export const newMeta = <Id extends ObjectId>(
  id: Id,
  now: Instant,
  { name = '', labels = {} }: { readonly name?: string; readonly labels?: Labels } = {},
): Meta<Id> => ({ id, name, version: 0, generation: 1, createdAt: now, updatedAt: now, labels })
