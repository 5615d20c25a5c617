import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { update } from '#model/change.ts'
import type { NodeId } from '#model/id.ts'
import type { ManagerStatus } from '#model/node.ts'
import type { MemberJoinAnswer, MemberJoinRequest } from '#rpc/messages.ts'
import type { RpcServer } from '#rpc/transport.ts'
import type { Store } from '#store/contract.ts'
import type { StoreMember, StoreMembers } from '#store/etcd/members.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { theCluster } from '../control/the-cluster.ts'
import { roleFor } from '../dispatcher/role.ts'
import { transactOn } from '../transact-on.ts'
import { signStorePeer } from './signing.ts'
import type { SigningParts } from './signing.ts'

export interface MemberParts extends SigningParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly members: StoreMembers
  readonly dataKeys: () => MemberJoinAnswer['dataKeys']
  readonly logger: Logger
}

export const membersPath = '/v1/members'

const joinTimeoutMs = 60_000

/** A node with a manager's certificate joins the store: as a learner at once, as a voter when it has caught up. */
export function serveMembers(server: RpcServer, parts: MemberParts): void {
  server.unary<MemberJoinRequest, MemberJoinAnswer>(
    'POST',
    membersPath,
    'manager',
    async ({ body, peer, signal }) => {
      using wait = startWait({ timeoutMs: joinTimeoutMs, signal, what: 'the store to take a new member' })
      const node = parts.mirror.get('node', peer.nodeId)
      if (node === undefined || roleFor(node) !== 'manager')
        throw new MureError('forbidden', `node ${peer.nodeId} is not to be a manager`)
      await dropStale(parts, body.peerUrl, node.status.manager?.memberId, wait)
      const { id, members } = await parts.members.addLearner(body.peerUrl, wait)
      await record(
        parts,
        peer.nodeId,
        {
          memberId: id,
          address: body.address,
          peerUrl: body.peerUrl,
          leader: false,
          reachability: 'unknown',
        },
        wait,
      )
      promoteInBackground(parts, id, peer.nodeId)
      const { unlockKey } = theCluster(parts.mirror).status
      const peerCertificate = await issuePeerCertificate(parts, body.peerCsr, body.peerUrl)
      return {
        memberName: peer.nodeId,
        initialCluster: initialCluster(members, id, peer.nodeId),
        peerCertificate,
        dataKeys: parts.dataKeys(),
        ...(unlockKey === undefined ? {} : { unlockKey }),
      }
    },
  )
}

/** The certificate by which a member proves itself to its peers, at the host of its peer URL. */
function issuePeerCertificate(
  parts: Pick<MemberParts, 'mirror'> & SigningParts,
  csr: string,
  peerUrl: string,
): Promise<string> {
  const host = new URL(peerUrl).hostname.replace(/^\[|\]$/g, '')
  return signStorePeer(parts, theCluster(parts.mirror), csr, host)
}

/** A manager issues its own member's certificate by itself: that takes no quorum. */
export function issueOwnStorePeer(
  parts: Pick<MemberParts, 'mirror'> & SigningParts,
  nodeId: NodeId,
  csr: string,
): Promise<string> {
  const peerUrl = parts.mirror.get('node', nodeId)?.status.manager?.peerUrl
  if (peerUrl === undefined) throw new MureError('precondition', `node ${nodeId} is no manager`)
  return issuePeerCertificate(parts, csr, peerUrl)
}

/** What is left of an earlier life of the node would be waited for in vain. */
async function dropStale(
  parts: MemberParts,
  peerUrl: string,
  memberId: string | undefined,
  wait: Wait,
): Promise<void> {
  for (const member of await parts.members.list(wait))
    if (member.peerUrl === peerUrl || member.id === memberId) await parts.members.remove(member.id, wait)
}

function initialCluster(members: readonly StoreMember[], id: string, name: string): string {
  return members
    .map((member) => `${member.id === id ? name : member.name}=${member.peerUrl}`)
    .filter((entry) => !entry.startsWith('='))
    .join(',')
}

async function record(parts: MemberParts, nodeId: NodeId, manager: ManagerStatus, wait: Wait): Promise<void> {
  await transactOn(parts, wait, () => {
    const node = parts.mirror.get('node', nodeId)
    return node === undefined ? [] : [update({ ...node, status: { ...node.status, manager } })]
  })
}

/** Should this manager die meanwhile, the leader's membership loop does it. */
function promoteInBackground(parts: MemberParts, memberId: string, nodeId: NodeId): void {
  const work = async () => {
    using wait = startWait({ timeoutMs: joinTimeoutMs, what: 'a new manager to catch up' })
    await promote(parts, memberId, nodeId, wait)
  }
  work().catch((error: unknown) => {
    parts.logger.warn('a new manager is not yet a voter', { node: nodeId, error })
  })
}

/** Makes the learner a voter, and then says that the node is a manager. */
export async function promote(
  parts: MemberParts,
  memberId: string,
  nodeId: NodeId,
  wait: Wait,
): Promise<void> {
  await parts.members.promoteWhenCaughtUp(memberId, wait)
  await transactOn(parts, wait, () => {
    const node = parts.mirror.get('node', nodeId)
    if (node?.status.manager === undefined || node.status.role === 'manager') return []
    const manager: ManagerStatus = { ...node.status.manager, reachability: 'reachable' }
    return [update({ ...node, status: { ...node.status, role: 'manager', manager } })]
  })
  parts.logger.info('a manager joined', { node: nodeId, member: memberId })
}

/** A manager that leaves by itself: it is no manager any more, and its member is taken out. */
export async function resign(parts: MemberParts, nodeId: NodeId, wait: Wait): Promise<void> {
  const memberId = parts.mirror.get('node', nodeId)?.status.manager?.memberId
  await transactOn(parts, wait, () => {
    const node = parts.mirror.get('node', nodeId)
    if (node?.status.manager === undefined) return []
    const { manager: _, ...status } = node.status
    return [
      update({
        ...node,
        spec: { ...node.spec, role: 'worker' },
        status: {
          ...status,
          role: 'worker',
          state: 'down',
          message: 'the node left the swarm',
          downSince: parts.clock.now(),
        },
      }),
    ]
  })
  if (memberId === undefined) return
  await parts.members.handOver(memberId, wait)
  await parts.members.remove(memberId, wait)
}
