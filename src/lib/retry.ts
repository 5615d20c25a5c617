import { errorText } from './errors.ts'
import { systemRandom } from './random.ts'
import type { Random } from './random.ts'
import { sleep } from './wait.ts'
import type { Wait } from './wait.ts'

export interface Backoff {
  firstMs: number
  maxMs: number
}

/** Doubles from `firstMs` to `maxMs`, with half of it random so that many callers do not march in step. */
export function backoffMs(backoff: Backoff, attempt: number, random: Random = systemRandom): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt, 30))
  return full / 2 + random.below(Math.max(1, Math.floor(full / 2)))
}

/** Repeats `work` until it succeeds, `mayRetry` says no, or the wait is over. */
export async function retry<T>(
  wait: Wait,
  backoff: Backoff,
  work: (attempt: number) => Promise<T>,
  mayRetry: (error: unknown) => boolean = () => true,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    wait.check()
    try {
      return await work(attempt)
    } catch (error) {
      if (!mayRetry(error)) throw error
      wait.note(`another attempt after: ${errorText(error)}`)
      await sleep(backoffMs(backoff, attempt), wait.signal)
    }
  }
}
