import type { Node, NodeRole } from '#model/node.ts'
import type { ManagerAddress } from '#rpc/messages.ts'
import type { View } from '#store/mirror/view.ts'

/**
 * What a node should act as now. A promotion takes effect at once: the node asks for its certificate and joins
 * the store. A demotion takes effect only after the leader has removed its member (which sets `status.role`):
 * a manager that stopped by itself first could take the quorum with it.
 */
export function roleFor(node: Node): NodeRole {
  return node.spec.role === 'manager' ? 'manager' : node.status.role
}

export function managerAddresses(view: View): ManagerAddress[] {
  const managers: ManagerAddress[] = []
  for (const node of view.list('node')) {
    const manager = node.status.manager
    if (node.status.role === 'manager' && manager !== undefined && manager.address !== '')
      managers.push({ nodeId: node.meta.id, address: manager.address })
  }
  return managers.sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
}

export function leaderOf(view: View): Node | undefined {
  for (const node of view.list('node')) if (node.status.manager?.leader === true) return node
  return undefined
}
