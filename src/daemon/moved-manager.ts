import type { Wait } from '#lib/wait.ts'
import { transactOn } from '#manager/transact-on.ts'
import { update } from '#model/change.ts'
import { joinStore, startManagerRuntime } from './manager-runtime.ts'
import type { ManagerRuntime, RuntimeParts } from './manager-runtime.ts'
import type { NodeState } from './node-state.ts'

/**
 * Starts the manager of a host that has another address than before. Where there are other managers, they take its
 * member out of the store and let it in again under the new address, with what they have: nothing of its own is
 * ahead of theirs. A manager that is alone says so to itself.
 */
export async function startMovedManager(
  parts: RuntimeParts,
  state: NodeState & { readonly peerUrl: string },
  otherManagers: readonly string[],
  wait: Wait,
): Promise<ManagerRuntime> {
  if (otherManagers.length > 0) {
    const { peerUrl, advertiseAddress: address } = state
    const mode = await joinStore(parts, { peerUrl, address, managers: otherManagers }, wait)
    return startManagerRuntime(parts, state, mode, wait)
  }
  const runtime = await startManagerRuntime(parts, state, { type: 'restart' }, wait)
  await recordPlace(runtime, state, wait)
  return runtime
}

/** Where the manager of this host and its member of the store are reached, in the store's and the cluster's words. */
export async function recordPlace(
  { manager: { mirror, store }, member }: Pick<ManagerRuntime, 'manager' | 'member'>,
  { nodeId, advertiseAddress: address, peerUrl }: NodeState & { readonly peerUrl: string },
  wait: Wait,
): Promise<void> {
  const { memberId } = await member.members.status(wait)
  await member.members.updatePeerUrl(memberId, peerUrl, wait)
  await transactOn({ mirror, store }, wait, () => {
    const node = mirror.get('node', nodeId)
    if (node?.status.manager === undefined) return []
    const manager = { ...node.status.manager, memberId, address, peerUrl }
    return [update({ ...node, status: { ...node.status, manager } })]
  })
}
