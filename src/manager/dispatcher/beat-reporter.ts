import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { BeatsAnswer, BeatsReport } from '#rpc/messages.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { Beats } from './beats.ts'
import type { ManagerLinks } from './manager-links.ts'
import { leaderOf } from './role.ts'
import type { Sessions } from './sessions.ts'

export const beatsPath = '/v1/beats'

/** Four reports in the span of one heartbeat: what the leader knows of others' agents is at most this much older. */
export const reportEveryMs = 250
const reportTimeoutMs = 1_000
/** Agents unheard for longer have nothing new to report. */
const reportWithinMs = 10_000

/** Whether the leader takes this manager's reports. */
export interface BeatReports {
  failing: boolean
}

export interface BeatReportParts {
  readonly managerId: NodeId
  readonly mirror: Mirror
  readonly beats: Beats
  readonly links: ManagerLinks
  readonly sessions: Sessions
  readonly logger: Logger
  readonly reports: BeatReports
}

/** Tells the leader, over and over, which agents this manager hears. A report that fails is no matter: the next is near. */
export async function reportBeats(parts: BeatReportParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await reportOnce(parts, signal)
    await sleep(reportEveryMs, signal).catch(() => undefined)
  }
}

/** Also for a manager that stops: the leader is to know its agents' last words. Never rejects. */
export async function reportOnce(parts: BeatReportParts, signal: AbortSignal): Promise<void> {
  const { reports } = parts
  const leader = leaderOf(parts.mirror)
  const report = parts.beats.report(parts.managerId, reportWithinMs, {
    appliedRevision: parts.sessions.appliedRevision,
    storeCurrent: parts.mirror.current,
  })
  if (leader?.meta.id === parts.managerId) {
    parts.beats.take(report)
    parts.sessions.withdrawals.elsewhere = parts.beats.appliedBesides(parts.managerId)
    reports.failing = false
  } else if (leader?.status.manager !== undefined) {
    try {
      using wait = startWait({
        timeoutMs: reportTimeoutMs,
        signal,
        what: 'the leader to take a report of beats',
      })
      const link = await parts.links.to(leader.status.manager.address, wait)
      const answer = await link.call<BeatsReport, BeatsAnswer>('POST', beatsPath, report, wait)
      parts.sessions.withdrawals.elsewhere = answer.appliedRevision
      reports.failing = false
    } catch (error) {
      if (!reports.failing && !signal.aborted)
        parts.logger.warn('the leader does not take our report of beats', { error })
      reports.failing = true
    }
  }
}
