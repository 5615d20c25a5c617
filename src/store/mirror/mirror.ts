import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { Observed } from '#lib/observed.ts'
import type { Wait } from '#lib/wait.ts'
import type { ObjectEvent } from '#model/change.ts'
import type { NodeId, ServiceId } from '#model/id.ts'
import { kinds } from '#model/objects.ts'
import type { Kind, ObjectsByKind, StoredObject } from '#model/objects.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { Store, WatchBatch } from '../contract.ts'
import { Table } from './table.ts'
import type { Mirror, ViewListener } from './view.ts'

/** Follows the store from now until the signal aborts. Resolves once everything is in memory. */
export async function startMirror(store: Store, signal: AbortSignal, logger: Logger): Promise<Mirror> {
  const mirror = new StoreMirror(logger)
  await store.watch(
    {
      snapshot: (objects, revision) => {
        mirror.replace(objects, revision)
      },
      batch: (batch) => {
        mirror.apply(batch)
      },
      contact: (current) => {
        mirror.current = current
      },
    },
    signal,
  )
  return mirror
}

type Tables = { [K in Kind]: Table<ObjectsByKind[K]> }

export class StoreMirror implements Mirror {
  revision = 0
  readonly #contact = new Observed(false)
  readonly #logger: Logger
  readonly #tables: Tables
  readonly #byService = new Map<string, Map<string, Task>>()
  readonly #byNode = new Map<string, Map<string, Task>>()
  /** Tasks of one service and generation share what they have of it: it is most of a task's size. */
  readonly #shared = new Map<string, Pick<Task, 'spec' | 'serviceLabels' | 'serviceName'>>()
  readonly #listeners = new Set<ViewListener>()
  readonly #waiters = new Set<{ revision: number; resolve: () => void }>()

  constructor(logger: Logger) {
    this.#logger = logger
    this.#tables = Object.fromEntries(kinds.map((kind) => [kind, new Table()])) as unknown as Tables
  }

  get current(): boolean {
    return this.#contact.value
  }

  set current(current: boolean) {
    this.#contact.value = current
  }

  followContact(listener: (current: boolean) => void): Disposable {
    return this.#contact.follow(listener)
  }

  get<K extends Kind>(kind: K, id: string): ObjectsByKind[K] | undefined {
    return this.#tables[kind].get(id)
  }

  list<K extends Kind>(kind: K): Iterable<ObjectsByKind[K]> {
    return this.#tables[kind].values()
  }

  count(kind: Kind): number {
    return this.#tables[kind].size
  }

  byName<K extends Kind>(kind: K, name: string): ObjectsByKind[K] | undefined {
    return this.#tables[kind].byName(name)
  }

  byIdPrefix<K extends Kind>(kind: K, prefix: string): ObjectsByKind[K][] {
    return this.#tables[kind].byIdPrefix(prefix)
  }

  tasksOfService(id: ServiceId): Iterable<Task> {
    return this.#byService.get(id)?.values() ?? []
  }

  countTasksOfService(id: ServiceId): number {
    return this.#byService.get(id)?.size ?? 0
  }

  tasksOfNode(id: NodeId): Iterable<Task> {
    return this.#byNode.get(id)?.values() ?? []
  }

  subscribe(listener: ViewListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) }
  }

  reached(revision: number, wait: Wait): Promise<void> {
    if (this.revision >= revision) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const waiter = {
        revision,
        resolve: () => {
          wait.signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => {
        this.#waiters.delete(waiter)
        const reason: unknown = wait.signal.reason
        reject(
          reason instanceof MureError ? reason : new MureError('cancelled', 'stopped waiting for the mirror'),
        )
      }
      this.#waiters.add(waiter)
      wait.signal.addEventListener('abort', onAbort, { once: true })
      if (wait.signal.aborted) onAbort()
    })
  }

  /** Everything anew; listeners hear of the differences alone. */
  replace(objects: readonly StoredObject[], revision: number): void {
    const events: ObjectEvent[] = []
    const present = new Map<Kind, Set<string>>(kinds.map((kind) => [kind, new Set()]))
    for (const object of objects) {
      present.get(object.kind)?.add(object.meta.id)
      const before = this.get(object.kind, object.meta.id)
      if (before?.meta.version === object.meta.version) continue
      events.push(this.#put(object, revision))
    }
    for (const kind of kinds)
      for (const object of [...this.list(kind)])
        if (present.get(kind)?.has(object.meta.id) !== true)
          events.push(this.#remove(kind, object.meta.id, revision))
    this.#announce(events, revision)
  }

  apply(batch: WatchBatch): void {
    const events = batch.entries.map((entry) =>
      entry.object === undefined
        ? this.#remove(entry.kind, entry.id, batch.revision)
        : this.#put(entry.object, batch.revision),
    )
    this.#announce(events, batch.revision)
  }

  #put(object: StoredObject, revision: number): ObjectEvent {
    const stored = object.kind === 'task' ? this.#share(object) : object
    const table = this.#tables[stored.kind] as Table<StoredObject>
    const before = table.put(stored)
    if (stored.kind === 'task') this.#index(before as Task | undefined, stored)
    return { kind: stored.kind, revision, before, after: stored }
  }

  #remove(kind: Kind, id: string, revision: number): ObjectEvent {
    const before = this.#tables[kind].remove(id)
    if (before?.kind === 'task') this.#index(before, undefined)
    return { kind, revision, before, after: undefined }
  }

  #index(before: Task | undefined, after: Task | undefined): void {
    if (before !== undefined && before.nodeId !== after?.nodeId)
      drop(this.#byNode, before.nodeId, before.meta.id)
    if (before !== undefined && after === undefined) drop(this.#byService, before.serviceId, before.meta.id)
    if (after === undefined) return
    if (after.nodeId !== '') add(this.#byNode, after.nodeId, after)
    if (after.serviceId !== '') add(this.#byService, after.serviceId, after)
  }

  #share(task: Task): Task {
    const key = `${task.serviceId}/${String(task.serviceGeneration)}`
    // What belongs to no service, a plain container's place, is like nothing else.
    const shared = task.serviceId === '' ? undefined : this.#shared.get(key)
    const writable = task as { -readonly [P in keyof Task]: Task[P] }
    if (shared !== undefined) Object.assign(writable, shared)
    else if (task.serviceId !== '') {
      // Those of generations long gone: dropped together now and then, and learned again by need.
      if (this.#shared.size > 2 * (this.count('service') + 1_000)) this.#shared.clear()
      const { spec, serviceLabels, serviceName } = task
      this.#shared.set(key, { spec, serviceLabels, serviceName })
    }
    const known = this.get('task', task.meta.id)
    if (known !== undefined && sameStatus(known.status, task.status)) writable.status = known.status
    return task
  }

  #announce(events: readonly ObjectEvent[], revision: number): void {
    this.revision = Math.max(this.revision, revision)
    for (const listener of this.#listeners) {
      try {
        listener(events, revision)
      } catch (error) {
        this.#logger.error('a listener of the mirror failed', { error })
      }
    }
    for (const waiter of this.#waiters) {
      if (waiter.revision > this.revision) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }
}

const sameStatus = (a: TaskStatus, b: TaskStatus): boolean =>
  a.state === b.state &&
  a.since === b.since &&
  a.error === b.error &&
  a.message === b.message &&
  JSON.stringify(a.containers) === JSON.stringify(b.containers) &&
  JSON.stringify(a.hostPorts) === JSON.stringify(b.hostPorts) &&
  JSON.stringify(a.files) === JSON.stringify(b.files)

function add(index: Map<string, Map<string, Task>>, key: string, task: Task): void {
  const group = index.get(key)
  if (group === undefined) index.set(key, new Map([[task.meta.id, task]]))
  else group.set(task.meta.id, task)
}

function drop(index: Map<string, Map<string, Task>>, key: string, id: string): void {
  const group = index.get(key)
  group?.delete(id)
  if (group?.size === 0) index.delete(key)
}
