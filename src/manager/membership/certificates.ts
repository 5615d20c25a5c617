import { MureError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create, update } from '#model/change.ts'
import { newId } from '#model/id.ts'
import type { NodeId } from '#model/id.ts'
import type { Node, NodeAvailability, NodeRole } from '#model/node.ts'
import type { Cluster } from '#model/cluster.ts'
import { newMeta } from '#model/meta.ts'
import type { CertificateAnswer, CertificateRequest, RootCertificateAnswer } from '#rpc/messages.ts'
import type { Peer, RpcServer } from '#rpc/transport.ts'
import { requestKeyDigest } from '#security/authority.ts'
import { parseJoinToken, sameToken } from '#security/join-token.ts'
import { trustOf } from '#security/root-ca.ts'
import type { Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { theCluster } from '../control/the-cluster.ts'
import { roleFor } from '../dispatcher/role.ts'
import { transactOn } from '../transact-on.ts'
import { signNode } from './signing.ts'
import type { SigningParts } from './signing.ts'

/** Less than callers wait, so that they hear why: a store without a quorum takes nothing. */
const storeTimeoutMs = 4_000

export interface CertificateParts extends SigningParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly random: Random
}

/** The certificate authority's calls: its root for anyone, a certificate for who has a token or a certificate already. */
export function serveCertificates(server: RpcServer, parts: CertificateParts): void {
  server.unary<object, RootCertificateAnswer>('GET', '/v1/ca/root', 'anyone', async () => ({
    certificates: theCluster(parts.mirror).status.rootCa.certificate,
  }))
  server.unary<CertificateRequest, CertificateAnswer>(
    'POST',
    '/v1/ca/certificate',
    'anyone',
    ({ body, signal }, peer) =>
      peer === undefined ? join(parts, body, signal) : renew(parts, body, peer, signal),
  )
}

/** A node's first certificate. The role is that of the token. */
async function join(
  parts: CertificateParts,
  request: CertificateRequest,
  signal: AbortSignal,
): Promise<CertificateAnswer> {
  const cluster = theCluster(parts.mirror)
  const role = roleOfToken(cluster, request.token ?? '')
  const node = newNode(parts, role, request.availability ?? 'active', await requestKeyDigest(request.csr))
  const certificate = await signNode(parts, cluster, request.csr, { nodeId: node.meta.id, role })
  using wait = startWait({ timeoutMs: storeTimeoutMs, signal, what: 'the store to take a new node' })
  await transactOn(parts, wait, () =>
    parts.mirror.get('node', node.meta.id) === undefined ? [create(node)] : [],
  )
  const managers = [...parts.mirror.list('node')].flatMap(({ status }) => status.manager?.address ?? [])
  return { nodeId: node.meta.id, role, certificate, trust: trustOf(cluster.status.rootCa), managers }
}

function roleOfToken(cluster: Cluster, token: string): NodeRole {
  parseJoinToken(token)
  const { worker, manager } = cluster.status.joinTokens
  const isWorker = sameToken(token, worker)
  if (sameToken(token, manager)) return 'manager'
  if (isWorker) return 'worker'
  throw new MureError(
    'unauthenticated',
    'A valid join token is necessary to join this cluster: this one is not, or is no longer, one of its tokens',
  )
}

function newNode(
  parts: CertificateParts,
  role: NodeRole,
  availability: NodeAvailability,
  publicKeyDigest: string,
): Node {
  const now = parts.clock.now()
  return {
    kind: 'node',
    meta: newMeta(newId<NodeId>(parts.random), now),
    spec: { name: '', labels: {}, role, availability },
    status: {
      state: 'unknown',
      message: '',
      address: '',
      role: 'worker',
      membership: 'accepted',
      publicKeyDigest,
    },
  }
}

/** A node that proves itself by its present key, even by a certificate whose time is over. */
async function renew(
  parts: CertificateParts,
  request: CertificateRequest,
  peer: Peer,
  signal: AbortSignal,
): Promise<CertificateAnswer> {
  const node = parts.mirror.get('node', peer.nodeId)
  if (node === undefined)
    throw new MureError(
      'forbidden',
      `node ${peer.nodeId} is not part of the cluster any more: leave and join again`,
      {
        details: { removed: true },
      },
    )
  const cluster = theCluster(parts.mirror)
  const role = roleFor(node)
  const publicKeyDigest = await requestKeyDigest(request.csr)
  const certificate = await signNode(parts, cluster, request.csr, { nodeId: peer.nodeId, role })
  using wait = startWait({ timeoutMs: storeTimeoutMs, signal, what: 'the store to take a renewed key' })
  await transactOn(parts, wait, () => {
    const present = parts.mirror.get('node', peer.nodeId)
    if (present === undefined || present.status.publicKeyDigest === publicKeyDigest) return []
    return [update({ ...present, status: { ...present.status, publicKeyDigest } })]
  })
  return { nodeId: peer.nodeId, role, certificate, trust: trustOf(cluster.status.rootCa) }
}
