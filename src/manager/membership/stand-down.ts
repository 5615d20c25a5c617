import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { StoreMembers } from '#store/etcd/members.ts'
import type { Mirror } from '#store/mirror/view.ts'
import type { Sessions } from '../dispatcher/sessions.ts'

const lookEveryMs = 200

/**
 * What a manager does by itself when it is to be demoted: it hands the consensus to another member, and sends its
 * agents (its own among them) to other managers, where they will hear of the demotion.
 */
export async function standDown(
  parts: { managerId: NodeId; mirror: Mirror; members: StoreMembers; sessions: Sessions; logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(lookEveryMs, signal).catch(() => undefined)
    const own = parts.mirror.get('node', parts.managerId)
    if (own === undefined || own.spec.role === 'manager' || own.status.manager === undefined) continue
    try {
      using wait = startWait({ timeoutMs: 3_000, signal, what: 'the consensus to be handed over' })
      await parts.members.handOver(own.status.manager.memberId, wait)
    } catch (error) {
      if (!signal.aborted) parts.logger.debug('the consensus was not handed over', { error })
    }
    parts.sessions.closeAll('this manager steps down')
    await sleep(1_000, signal).catch(() => undefined)
  }
}
