import { sleep } from '#lib/wait.ts'
import { runMembershipLoop } from './membership/membership-loop.ts'
import type { MembershipLoopParts } from './membership/membership-loop.ts'
import { keepAcmeCertificates } from './ingress/acme/keeper.ts'
import { runNodeLoop } from './node-loop.ts'
import type { Beats } from './dispatcher/beats.ts'
import { runPipeline } from './loop.ts'
import type { LoopParts } from './loop.ts'

type LeaderParts = Omit<LoopParts, 'leadership'> &
  Omit<MembershipLoopParts, 'leadership'> & { readonly beats: Beats }

/**
 * Stands for election for as long as this manager is one, and runs the control loops while it leads: services,
 * nodes, membership. A loop that fails ends the leadership, and so hands over; it never goes on unheard.
 */
export async function lead(parts: LeaderParts, signal: AbortSignal): Promise<void> {
  const { store, logger, managerId } = parts
  while (!signal.aborted) {
    try {
      await maySeekOffice(parts, signal)
      await using leadership = await store.campaign(managerId, signal)
      logger.info('this manager leads now', { fence: leadership.fence.createRevision })
      const all = { ...parts, leadership }
      const loops = [runPipeline(all), runNodeLoop(all), runMembershipLoop(all), keepAcmeCertificates(all)]
      // The first that ends, ends the leadership for all.
      try {
        await Promise.race(loops)
      } finally {
        await leadership[Symbol.asyncDispose]()
        await Promise.allSettled(loops)
      }
    } catch (error) {
      if (signal.aborted) return
      logger.error('a control loop failed; another manager may take over', { error })
      await sleep(500, signal).catch(() => undefined)
    }
  }
}

/** One that is being demoted does not stand. */
async function maySeekOffice(parts: LeaderParts, signal: AbortSignal): Promise<void> {
  while (parts.mirror.get('node', parts.managerId)?.spec.role === 'worker') await sleep(200, signal)
}
