import type { Logger } from '#lib/logger.ts'
import { errorText } from '#lib/errors.ts'
import { retry } from '#lib/retry.ts'
import { startWait } from '#lib/wait.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import type { Manager } from '#manager/manager.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import type { Credentials } from './credentials.ts'

const backoff = { firstMs: 500, maxMs: 15_000 }

/**
 * Keeps this manager's keys under the cluster's unlock key: set, changed, or taken away as the cluster says. What cannot
 * be written, on a full disk perhaps, is tried until it can.
 */
export function followLock(
  { mirror }: Pick<Manager, 'mirror'>,
  credentials: Pick<Credentials, 'lock'>,
  logger: Logger,
  signal: AbortSignal,
): void {
  let applied: string | undefined | null = null
  let isWriting = false
  const wanted = () => theCluster(mirror).status.unlockKey
  const write = async () => {
    while (wanted() !== applied) {
      const key = wanted()
      await credentials.lock(key === undefined ? undefined : parseUnlockKey(key)).catch((error: unknown) => {
        logger.error('the key file could not be written under the unlock key', { error: errorText(error) })
        throw error
      })
      applied = key
    }
  }
  const apply = async () => {
    if (isWriting || wanted() === applied) return
    isWriting = true
    using wait = startWait({ signal, what: 'the key file to be written under the unlock key' })
    try {
      await retry(wait, backoff, write)
    } finally {
      isWriting = false
    }
  }
  const applyUntilStopped = () => {
    apply().catch((error: unknown) => {
      if (!signal.aborted) logger.error('the key file is not kept under the unlock key', { error })
    })
  }
  // The subscription ends with the manager, whose mirror it is.
  mirror.subscribe((events) => {
    if (events.some((event) => event.kind === 'cluster' && event.after !== undefined)) applyUntilStopped()
  })
  if (mirror.count('cluster') > 0) applyUntilStopped()
}
