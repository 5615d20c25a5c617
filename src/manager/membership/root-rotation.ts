import type { Logger } from '#lib/logger.ts'
import type { Wait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { Cluster } from '#model/cluster.ts'
import { createJoinToken } from '#security/join-token.ts'
import { endRotation, hasFollowed } from '#security/root-ca.ts'
import type { Leadership, Store } from '#store/contract.ts'
import type { Mirror, View } from '#store/mirror/view.ts'
import { transactOn } from '../transact-on.ts'

/**
 * The cluster with its new root alone, and tokens that carry that root's digest, once every node has a certificate of
 * it. A node that is down is waited for, since it could not come back otherwise: remove it, or start it.
 */
function endedRotation(view: View): Cluster | undefined {
  for (const cluster of view.list('cluster')) {
    const { rootCa } = cluster.status
    if (rootCa.rotation === undefined) continue
    for (const node of view.list('node'))
      if (!hasFollowed(node.status.description?.tls, rootCa)) return undefined
    const ended = endRotation(rootCa)
    const joinTokens = {
      worker: createJoinToken(ended.certificate),
      manager: createJoinToken(ended.certificate),
    }
    return { ...cluster, status: { ...cluster.status, rootCa: ended, joinTokens } }
  }
  return undefined
}

/** The leader's part in the replacement of the root: nothing, until all have followed. */
export async function tendRootRotation(
  parts: { store: Store; mirror: Mirror; leadership: Leadership; logger: Logger },
  wait: Wait,
): Promise<void> {
  const decide = () => {
    const ended = endedRotation(parts.mirror)
    return ended === undefined ? [] : [update(ended)]
  }
  if (endedRotation(parts.mirror) === undefined) return
  await transactOn(parts, wait, decide, parts.leadership.fence)
  parts.logger.info('the root certificate was replaced')
}
