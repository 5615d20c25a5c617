import { MureError, toMureError } from '#lib/errors.ts'
import type { Wait } from '#lib/wait.ts'
import type { Mirror } from '#store/mirror/view.ts'

/** What `look` gives once it gives something: now, or after a change that the mirror hears of. What it throws, ends it. */
export function seen<T>(
  mirror: Pick<Mirror, 'subscribe'>,
  look: () => T | undefined,
  wait: Pick<Wait, 'signal'>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      subscription[Symbol.dispose]()
      wait.signal.removeEventListener('abort', onAbort)
    }
    const tryLook = (): boolean => {
      try {
        const found = look()
        if (found === undefined) return false
        end()
        resolve(found)
      } catch (error) {
        end()
        reject(toMureError(error))
      }
      return true
    }
    const onAbort = () => {
      end()
      const reason: unknown = wait.signal.reason
      reject(reason instanceof MureError ? reason : new MureError('cancelled', 'stopped waiting'))
    }
    const subscription = mirror.subscribe(() => {
      tryLook()
    })
    wait.signal.addEventListener('abort', onAbort, { once: true })
    if (!tryLook() && wait.signal.aborted) onAbort()
  })
}
