import { MureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { Change } from '#model/change.ts'
import { uniquelyNamed } from '#model/objects.ts'
import type { Kind, ObjectsByKind, StoredObject } from '#model/objects.ts'
import type { Leadership, Store, TransactOptions, WatchBatch, WatchListener } from '../contract.ts'

/** The store in memory: for simulations and unit tests, where etcd's own behaviour is not the question. */
export class MemoryStore implements Store {
  revision = 1
  readonly #objects = new Map<string, StoredObject>()
  readonly #names = new Map<string, string>()
  readonly #history = new Map<string, StoredObject[]>()
  readonly #listeners = new Set<WatchListener>()
  #leader: { candidate: string; createRevision: number; lost: AbortController } | undefined
  readonly #candidates: (() => void)[] = []

  async transact(changes: readonly Change[], options: TransactOptions): Promise<{ revision: number }> {
    options.wait.check()
    if (options.fence !== undefined && this.#leader?.createRevision !== options.fence.createRevision)
      throw new MureError('precondition', 'the leadership has moved to another manager', {
        details: { fence: true },
      })
    for (const change of changes) this.#check(change)
    if (changes.length === 0) return { revision: this.revision }
    this.revision += 1
    const entries = changes.map((change) => this.#apply(change))
    const batch: WatchBatch = { revision: this.revision, entries }
    for (const listener of this.#listeners) listener.batch(batch)
    return { revision: this.revision }
  }

  async get<K extends Kind>(
    kind: K,
    id: string,
    options: { wait: Wait; revision?: number },
  ): Promise<ObjectsByKind[K] | undefined> {
    const { revision } = options
    const object =
      revision === undefined
        ? this.#objects.get(`${kind}/${id}`)
        : this.#history.get(`${kind}/${id}`)?.findLast((candidate) => candidate.meta.version <= revision)
    return object as ObjectsByKind[K] | undefined
  }

  async currentRevision(): Promise<number> {
    return this.revision
  }

  async watch(listener: WatchListener, signal: AbortSignal): Promise<void> {
    listener.snapshot([...this.#objects.values()], this.revision)
    listener.contact(true)
    this.#listeners.add(listener)
    signal.addEventListener('abort', () => this.#listeners.delete(listener), { once: true })
  }

  async campaign(candidate: string, signal: AbortSignal): Promise<Leadership> {
    while (this.#leader !== undefined) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => {
        this.#candidates.push(resolve)
        signal.addEventListener(
          'abort',
          () => {
            resolve()
          },
          { once: true },
        )
      })
    }
    signal.throwIfAborted()
    this.revision += 1
    const lost = new AbortController()
    const leader = { candidate, createRevision: this.revision, lost }
    this.#leader = leader
    // An election is a write like any other: who waits for its revision hears of it.
    for (const listener of this.#listeners) listener.batch({ revision: this.revision, entries: [] })
    return {
      fence: { key: 'leader', createRevision: leader.createRevision },
      signal: lost.signal,
      [Symbol.asyncDispose]: async () => {
        if (this.#leader === leader) this.depose()
      },
    }
  }

  async leader(): Promise<string> {
    return this.#leader?.candidate ?? ''
  }

  /** Takes the leadership away, as a lost lease would. */
  depose(): void {
    this.#leader?.lost.abort()
    this.#leader = undefined
    for (const wake of this.#candidates.splice(0)) wake()
  }

  #check(change: Change): void {
    if (change.op === 'create') {
      const { kind, meta } = change.object
      const nameTaken = uniquelyNamed.has(kind) && this.#names.has(`${kind}/${meta.name}`)
      if (!nameTaken && !this.#objects.has(`${kind}/${meta.id}`)) return
      throw new MureError(
        'already-exists',
        `name conflicts with an existing object: ${kind} ${meta.name} already exists`,
        { details: { kind, id: meta.id, name: meta.name } },
      )
    }
    const [kind, id, version] =
      change.op === 'remove'
        ? [change.kind, change.id, change.version]
        : [change.object.kind, change.object.meta.id, change.object.meta.version]
    if (this.#objects.get(`${kind}/${id}`)?.meta.version !== version)
      throw new MureError('conflict', 'update out of sequence', { details: { kind, id } })
  }

  #apply(change: Change): WatchBatch['entries'][number] {
    if (change.op === 'remove') {
      this.#objects.delete(`${change.kind}/${change.id}`)
      if (uniquelyNamed.has(change.kind)) this.#names.delete(`${change.kind}/${change.name}`)
      return { kind: change.kind, id: change.id, object: undefined }
    }
    // As etcd would: what is read back is another value, never the writer's own.
    const copy = structuredClone(change.object) as { meta: { version: number } }
    copy.meta.version = this.revision
    const object = copy as unknown as StoredObject
    const key = `${object.kind}/${object.meta.id}`
    this.#objects.set(key, object)
    this.#history.set(key, [...(this.#history.get(key) ?? []), object])
    if (uniquelyNamed.has(object.kind)) this.#names.set(`${object.kind}/${object.meta.name}`, object.meta.id)
    return { kind: object.kind, id: object.meta.id, object }
  }
}
