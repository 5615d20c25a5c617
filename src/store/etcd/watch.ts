import { MureError } from '#lib/errors.ts'
import type { EtcdClient } from './client.ts'
import { prefixEnd, root } from './keys.ts'
import type { KeyValue, WatchResponse } from './messages.ts'

export interface ChangedKey {
  readonly kv: KeyValue
  readonly deleted: boolean
}

export interface ChangeListener {
  /** All changes of one revision. */
  batch(revision: number, changes: readonly ChangedKey[]): void
}

/**
 * Follows the changes from a revision on until the signal aborts. `compacted`: that revision's history is gone,
 * so everything must be listed again. Throws when the connection is lost; the caller resumes after the last batch.
 */
export function followChanges(
  client: EtcdClient,
  startRevision: number,
  signal: AbortSignal,
  listener: ChangeListener,
): Promise<'aborted' | 'compacted'> {
  return new Promise((resolve, reject) => {
    const stream = client.watch()
    let held: ChangedKey[] = []
    let ended = false
    const end = (settle: () => void) => {
      if (ended) return
      ended = true
      signal.removeEventListener('abort', onAbort)
      stream.cancel()
      settle()
    }
    const onAbort = () => {
      end(() => {
        resolve('aborted')
      })
    }
    stream.on('data', (response: WatchResponse) => {
      if (ended) return
      if (response.canceled) {
        end(() => {
          if (Number(response.compact_revision) > 0) resolve('compacted')
          else reject(new MureError('unavailable', `etcd ended the watch: ${response.cancel_reason}`))
        })
        return
      }
      for (const event of response.events) held.push({ kv: event.kv, deleted: event.type === 1 })
      // A large revision comes in fragments, and several revisions may come in one response.
      if (response.fragment || held.length === 0) return
      const whole = held
      held = []
      try {
        for (const [revision, changes] of byRevision(whole)) listener.batch(revision, changes)
      } catch (error) {
        end(() => {
          reject(error instanceof Error ? error : new Error(String(error)))
        })
      }
    })
    stream.on('error', (error: Error) => {
      end(() => {
        reject(new MureError('unavailable', `the watch was lost: ${error.message}`, { cause: error }))
      })
    })
    stream.on('end', () => {
      end(() => {
        reject(new MureError('unavailable', 'etcd ended the watch'))
      })
    })
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) {
      onAbort()
      return
    }
    stream.write({
      create_request: {
        // Elections too: who waits for a revision must hear of each that there is.
        key: Buffer.from(root),
        range_end: prefixEnd(root),
        start_revision: startRevision,
        fragment: true,
      },
    })
  })
}

function byRevision(changes: readonly ChangedKey[]): Map<number, ChangedKey[]> {
  const result = new Map<number, ChangedKey[]>()
  for (const change of changes) {
    const revision = Number(change.kv.mod_revision)
    const group = result.get(revision)
    if (group === undefined) result.set(revision, [change])
    else group.push(change)
  }
  return result
}
