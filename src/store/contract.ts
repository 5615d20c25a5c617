import type { Wait } from '#lib/wait.ts'
import type { Change } from '#model/change.ts'
import type { Kind, ObjectsByKind, StoredObject } from '#model/objects.ts'

/** Proof of leadership: a transaction with a fence is refused once the election key is no longer this one. */
export interface Fence {
  readonly key: string
  readonly createRevision: number
}

export interface TransactOptions {
  readonly wait: Wait
  readonly fence?: Fence
}

/** One revision's worth of what happened, in order. */
export interface WatchBatch {
  readonly revision: number
  /** `object` absent = removed. Its `meta.version` is the revision of its last write. */
  readonly entries: readonly {
    readonly kind: Kind
    readonly id: string
    readonly object: StoredObject | undefined
  }[]
}

export interface WatchListener {
  /** Everything there is, at `revision`. Called at the start, and again whenever history was lost (compaction). */
  snapshot(objects: readonly StoredObject[], revision: number): void
  batch(batch: WatchBatch): void
  /** `false` while contact with the store is lost: what is known may be stale. */
  contact(current: boolean): void
}

/** Ends when the lease is lost or given up. */
export interface Leadership extends AsyncDisposable {
  readonly fence: Fence
  /** Aborts when leadership is (or may be) lost. */
  readonly signal: AbortSignal
}

/**
 * Where everything is kept. Every implementation passes `store/contract-suite.ts`.
 *
 * 1. A transaction happens whole or not at all; all of its objects get the same new version (the revision).
 * 2. An update or removal is refused (`conflict`) when the object's stored version is not the one given;
 *    a creation is refused (`already-exists`) when its id or unique name is taken.
 * 3. A fenced transaction is refused (`precondition`, details `{ fence: true }`) after leadership has moved.
 * 4. What `transact` has answered is durable on a majority.
 */
export interface Store {
  /** `unavailable` without a quorum: the outcome of the write is then unknown. */
  transact(changes: readonly Change[], options: TransactOptions): Promise<{ revision: number }>
  /** The object as it was at `revision` (default: now, linearizable). Undefined: not there, or history is gone. */
  get<K extends Kind>(
    kind: K,
    id: string,
    options: { wait: Wait; revision?: number },
  ): Promise<ObjectsByKind[K] | undefined>
  /**
   * The revision that a linearizable read sees now. A mirror that has reached it knows every write that was
   * acknowledged before the call: what must be waited for before an agent is told "this is all you should run".
   */
  currentRevision(wait: Wait): Promise<number>
  /** Runs until the signal aborts; reconnects, resumes and re-lists by itself. Returns once the first snapshot was handed over. */
  watch(listener: WatchListener, signal: AbortSignal): Promise<void>
  /** Waits to become leader under `candidate`'s name; only one candidate leads at a time. */
  campaign(candidate: string, signal: AbortSignal): Promise<Leadership>
  /** The present leader's name as of the last known state, or ''. */
  leader(wait: Wait): Promise<string>
}
