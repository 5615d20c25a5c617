import { instant } from '#lib/clock.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'
import { createRequest, createRoot, issueNodeCertificate } from '../authority.ts'
import type { Issuer, KeyPair } from '../authority.ts'

/** A cluster's root, for tests. */
export const aRoot = (): Promise<KeyPair> => createRoot(instant(Date.now()))

/** A node's identity under that root, for tests. */
export async function anIdentity(
  root: Issuer,
  role: NodeRole,
  options: { nodeId?: string; clusterId?: string; lifeMs?: number; now?: number } = {},
) {
  const { csr, key } = await createRequest()
  const nodeId = (options.nodeId ?? `${role}1`) as NodeId
  const certificate = await issueNodeCertificate(
    root,
    csr,
    { nodeId, clusterId: options.clusterId ?? 'cluster', role },
    { now: instant(options.now ?? Date.now()), lifeMs: options.lifeMs ?? 3_600_000 },
  )
  return { nodeId, role, certificate, key, trust: root.certificate }
}
