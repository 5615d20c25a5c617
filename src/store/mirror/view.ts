import type { ObjectEvent } from '#model/change.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import type { Kind, ObjectsByKind } from '#model/objects.ts'
import type { Task } from '#model/task.ts'
import type { Wait } from '#lib/wait.ts'

/** All objects, in memory, as of `revision`. Objects are immutable: a change puts another in its place. */
export interface View {
  readonly revision: number
  get<K extends Kind>(kind: K, id: string): ObjectsByKind[K] | undefined
  list<K extends Kind>(kind: K): Iterable<ObjectsByKind[K]>
  count(kind: Kind): number
  byName<K extends Kind>(kind: K, name: string): ObjectsByKind[K] | undefined
  /** All objects of a kind whose id starts so; Docker's short ids. */
  byIdPrefix<K extends Kind>(kind: K, prefix: string): ObjectsByKind[K][]
  tasksOfService(id: ServiceId): Iterable<Task>
  countTasksOfService(id: ServiceId): number
  tasksOfNode(id: NodeId): Iterable<Task>
}

export type ViewListener = (events: readonly ObjectEvent[], revision: number) => void

/** A view that follows the store. */
export interface Mirror extends View {
  /** False while contact with the store is lost; reads still answer, marked stale. */
  readonly current: boolean
  /** Tells of `current`, at once and whenever it changes. */
  followContact(listener: (current: boolean) => void): Disposable
  /** Hears each batch after it has been applied. Listeners must not throw and must not block. */
  subscribe(listener: ViewListener): Disposable
  /** Resolves once the view is at `revision` or later: read your own write. */
  reached(revision: number, wait: Wait): Promise<void>
}
