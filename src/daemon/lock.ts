import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { theCluster } from '#manager/control/the-cluster.ts'
import type { Manager } from '#manager/manager.ts'
import { parseUnlockKey } from '#security/unlock-key.ts'
import type { Credentials } from './credentials.ts'

/** Keeps this manager's keys under the cluster's unlock key: set, changed, or taken away as the cluster says. */
export function followLock(manager: Manager, credentials: Credentials, logger: Logger): void {
  let applied: string | undefined | null = null
  const apply = () => {
    const { unlockKey } = theCluster(manager.mirror).status
    if (unlockKey === applied) return
    applied = unlockKey
    credentials
      .lock(unlockKey === undefined ? undefined : parseUnlockKey(unlockKey))
      .catch((error: unknown) => {
        logger.error('the key file could not be written under the unlock key', { error: errorText(error) })
      })
  }
  // The subscription ends with the manager, whose mirror it is.
  manager.mirror.subscribe((events) => {
    if (events.some((event) => event.kind === 'cluster' && event.after !== undefined)) apply()
  })
  if (manager.mirror.count('cluster') > 0) apply()
}
