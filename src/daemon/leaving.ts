import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Control } from '#manager/control/control.ts'
import type { Manager } from '#manager/manager.ts'
import { leaveConsequence, refusals } from './refusals.ts'

/** Docker's sentence for a manager that leaves without force, with what its leaving would do to the others. */
export function leaveRefusal({ view }: Control): Error {
  const managers = [...view.list('node')].filter((node) => node.status.manager !== undefined)
  const reachable = managers.filter((node) => node.status.manager?.reachability === 'reachable').length
  return refusals.leaveAsManager(leaveConsequence(reachable, managers.length - reachable))
}

/** The others go on without us: said to them where they can still be asked. */
export async function sayGoodbye(manager: Manager, logger: Logger, wait: Wait): Promise<void> {
  const managers = [...manager.mirror.list('node')].filter((node) => node.status.manager !== undefined)
  if (managers.length <= 1) return
  try {
    using attempt = startWait({ timeoutMs: 10_000, signal: wait.signal, what: 'the others to take note' })
    await manager.resign(attempt)
  } catch (error) {
    logger.warn('the swarm could not be told that this manager leaves', { error: errorText(error) })
  }
}
