import type { Wait } from '#lib/wait.ts'
import { choosePeerUrl, joinStore, startManagerRuntime } from './manager-runtime.ts'
import type { ManagerRuntime, RuntimeParts } from './manager-runtime.ts'
import type { NodeState } from './node-state.ts'

/** A worker becomes a manager: it is let into the store by one of the managers, and starts on its own member of it. */
export async function startPromoted(
  parts: RuntimeParts,
  node: {
    readonly state: NodeState
    readonly managers: readonly string[]
    /** Called once the others count on this member, before it starts. */
    readonly remember: (state: NodeState) => Promise<void>
  },
  wait: Wait,
): Promise<{ state: NodeState; runtime: ManagerRuntime }> {
  const { listenAddress, advertiseAddress: address } = node.state
  const peerUrl = await choosePeerUrl(listenAddress, address)
  const mode = await joinStore(parts, { peerUrl, address, managers: node.managers }, wait)
  const state = { ...node.state, role: 'manager' as const, peerUrl }
  await node.remember(state)
  return { state, runtime: await startManagerRuntime(parts, state, mode, wait) }
}
