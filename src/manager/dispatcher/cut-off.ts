import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { BeatReports } from './beat-reporter.ts'
import type { Sessions } from './sessions.ts'

const lookEveryMs = 250
/**
 * Less than the grace that the leader gives the agents of a manager it does not hear (see `health.ts`), so that they
 * have moved before it is over; more than a change of leaders takes.
 */
const patienceMs = 2_500

/**
 * A manager that has lost the store or the leader sends its agents to others, and takes none until it is back:
 * nothing they say through it is heard.
 */
export async function sendAgentsAwayWhenCutOff(
  parts: { mirror: Mirror; sessions: Sessions; reports: BeatReports; clock: Clock; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  let goodAt = parts.clock.monotonicMs()
  while (!signal.aborted) {
    await sleep(lookEveryMs, signal).catch(() => undefined)
    const now = parts.clock.monotonicMs()
    if (parts.mirror.current && !parts.reports.failing) goodAt = now
    else if (now - goodAt > patienceMs && parts.sessions.count > 0) {
      parts.logger.warn('this manager is cut off from the others: its agents are sent to them')
      parts.sessions.closeAll('this manager is cut off from the others')
    }
  }
}
