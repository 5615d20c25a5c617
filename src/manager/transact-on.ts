import { isMureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { Change } from '#model/change.ts'
import type { Fence, Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'

/**
 * Decides on the mirror and stores the decision; when somebody else was quicker, waits until the mirror knows
 * and decides again. `decide` answers undefined (or no changes) when there is nothing to do.
 */
export async function transactOn(
  parts: { readonly store: Store; readonly mirror: Mirror },
  wait: Wait,
  decide: () => readonly Change[] | undefined,
  fence?: Fence,
): Promise<void> {
  for (;;) {
    wait.check()
    const changes = decide()
    if (changes === undefined || changes.length === 0) return
    try {
      const { revision } = await parts.store.transact(changes, {
        wait,
        ...(fence === undefined ? {} : { fence }),
      })
      await parts.mirror.reached(revision, wait)
      return
    } catch (error) {
      if (!isMureError(error, 'conflict', 'already-exists')) throw error
      const before = parts.mirror.revision
      const current = await parts.store.currentRevision(wait)
      await parts.mirror.reached(current, wait)
      // The mirror already knew all there is, so deciding again would be refused again.
      if (error.code === 'already-exists' && before >= current) throw error
    }
  }
}
