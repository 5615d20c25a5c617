import type { Clock } from '#lib/clock.ts'
import { isMureError, MureError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import type { Wait } from '#lib/wait.ts'
import { create, remove, update } from '#model/change.ts'
import { newId } from '#model/id.ts'
import type { ObjectId } from '#model/id.ts'
import { newMeta } from '#model/meta.ts'
import type { Labels, Meta } from '#model/meta.ts'
import type { Kind, ObjectsByKind, StoredObject } from '#model/objects.ts'
import type { Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { WriteOptions } from './control.ts'
import { grpcText } from './grpc-text.ts'

/** What every kind's writes have in common: identity, versions, waiting for the mirror. */
export class ObjectWriter {
  readonly mirror: Mirror
  readonly store: Store
  readonly clock: Clock
  readonly random: Random

  constructor(parts: { mirror: Mirror; store: Store; clock: Clock; random: Random }) {
    this.mirror = parts.mirror
    this.store = parts.store
    this.clock = parts.clock
    this.random = parts.random
  }

  newMeta<T extends ObjectId>(name: string, labels: Labels, options: WriteOptions): Meta<T> {
    return {
      ...newMeta(newId<T>(this.random), this.clock.now(), { name, labels }),
      ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
    }
  }

  /** The head of an object whose spec changes. */
  nextMeta<T extends ObjectId>(meta: Meta<T>, labels: Labels, options: WriteOptions): Meta<T> {
    return {
      ...meta,
      generation: meta.generation + 1,
      updatedAt: this.clock.now(),
      labels,
      ...(options.dialect === undefined ? {} : { dialect: options.dialect }),
    }
  }

  async create<T extends StoredObject>(object: T, wait: Wait): Promise<T> {
    try {
      return await this.#write(object, [create(object)], wait)
    } catch (error) {
      if (!isMureError(error, 'already-exists')) throw error
      const exists = `${object.kind} ${object.meta.name} already exists`
      const isFile = object.kind === 'secret' || object.kind === 'config'
      const text = isFile ? exists : `name conflicts with an existing object: ${exists}`
      throw new MureError('already-exists', grpcText('AlreadyExists', text), { cause: error })
    }
  }

  /**
   * Changes an object on behalf of a caller who read it at `version`. Only a change of the spec since then is a
   * conflict: when the status alone has moved, the caller's change is made on the newest object.
   */
  async change<K extends Kind>(
    kind: K,
    id: string,
    version: number,
    options: WriteOptions,
    decide: (present: ObjectsByKind[K]) => ObjectsByKind[K],
    /** What changes with it, in the same transaction. */
    alongside: (next: ObjectsByKind[K]) => readonly StoredObject[] = () => [],
  ): Promise<ObjectsByKind[K]> {
    for (;;) {
      options.wait.check()
      const present = this.mirror.get(kind, id)
      if (present === undefined) throw new MureError('not-found', `${kind} ${id} not found`)
      if (present.meta.version !== version)
        await this.#refuseStale(kind, id, version, present.meta, options.wait)
      try {
        const next = decide(present)
        return await this.#write(next, [update(next), ...alongside(next).map(update)], options.wait)
      } catch (error) {
        if (!isMureError(error, 'conflict')) throw error
        await this.mirror.reached(await this.store.currentRevision(options.wait), options.wait)
      }
    }
  }

  /** Removes whatever version there is; `check` may refuse. */
  async remove<K extends Kind>(
    kind: K,
    id: string,
    wait: Wait,
    check: (present: ObjectsByKind[K]) => void,
  ): Promise<void> {
    for (;;) {
      wait.check()
      const present = this.mirror.get(kind, id)
      if (present === undefined) throw new MureError('not-found', `${kind} ${id} not found`)
      check(present)
      try {
        const { revision } = await this.store.transact([remove(present)], { wait })
        await this.mirror.reached(revision, wait)
        return
      } catch (error) {
        if (!isMureError(error, 'conflict')) throw error
        await this.mirror.reached(await this.store.currentRevision(wait), wait)
      }
    }
  }

  async #write<T extends StoredObject>(
    object: T,
    changes: Parameters<Store['transact']>[0],
    wait: Wait,
  ): Promise<T> {
    const { revision } = await this.store.transact(changes, { wait })
    await this.mirror.reached(revision, wait)
    return { ...object, meta: { ...object.meta, version: revision } }
  }

  async #refuseStale(kind: Kind, id: string, version: number, present: Meta, wait: Wait): Promise<void> {
    const seen =
      version > 0 && version < present.version
        ? await this.store.get(kind, id, { wait, revision: version })
        : undefined
    if (seen?.meta.version === version && seen.meta.generation === present.generation) return
    throw new MureError('conflict', grpcText('Unknown', 'update out of sequence'), {
      details: { status: 500 },
    })
  }
}
