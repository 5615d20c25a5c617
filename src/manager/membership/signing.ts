import { X509Certificate } from 'node:crypto'
import type { Clock } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Cluster, ExternalCa } from '#model/cluster.ts'
import { certificateExpiryMs } from '#model/defaults.ts'
import type { NodeId } from '#model/id.ts'
import type { NodeRole } from '#model/node.ts'
import {
  createAuthorityRequest,
  issueNodeCertificate,
  issueStorePeer,
  requestKeyDigest,
  storePeerName,
  unitOfRole,
} from '#security/authority.ts'
import type { Issuer } from '#security/authority.ts'
import { certificateFacts, isIssuedBy } from '#security/certificate.ts'
import { issuerOf, storeIssuerOf } from '#security/root-ca.ts'
import type { OutsideAuthorities } from '#security/root-rotation.ts'
import { isReachable, signOutside } from './external-ca.ts'
import type { ClientTls, OutsideRequest } from './external-ca.ts'

export interface SigningParts {
  readonly clock: Clock
  /** Shown to an external CA. Default: nothing. */
  readonly identity?: () => ClientTls
}

const timeoutMs = 15_000
/** The profile with which cfssl signs an authority, as swarmkit names it. */
const crossSignProfile = 'CA'

/** A node's certificate, of the cluster's own authority or of the external one that signs in its place. */
export async function signNode(
  parts: SigningParts,
  cluster: Cluster,
  csr: string,
  { nodeId, role }: { readonly nodeId: NodeId; readonly role: NodeRole },
): Promise<string> {
  const issuer = issuerOf(cluster.status.rootCa)
  const authorities = authoritiesOf(cluster, issuer.certificate)
  const clusterId = cluster.meta.id
  if (authorities.length === 0)
    return issueNodeCertificate(issuer, csr, { nodeId, clusterId, role }, validity(parts, cluster))
  const unit = unitOfRole[role]
  const subject = { commonName: nodeId, organization: clusterId, unit }
  const request = { csr, subject, hosts: [unit, nodeId] }
  return signedOutside(parts, authorities, issuer, request)
}

/** The certificate by which a member of the store proves itself to its peers, at the host given. */
export async function signStorePeer(
  parts: SigningParts,
  cluster: Cluster,
  csr: string,
  host: string,
): Promise<string> {
  const issuer = storeIssuerOf(cluster.status.rootCa)
  const authorities = authoritiesOf(cluster, issuer.certificate)
  if (authorities.length === 0) return issueStorePeer(issuer, csr, [host], validity(parts, cluster))
  return signedOutside(parts, authorities, issuer, {
    csr,
    subject: { commonName: storePeerName },
    hosts: [host],
  })
}

const validity = (parts: SigningParts, { spec }: Cluster) => ({
  now: parts.clock.now(),
  lifeMs: certificateExpiryMs(spec),
})

/** The external authorities that sign with a root; one that names no root has the cluster's present one. */
function authoritiesOf({ spec, status }: Pick<Cluster, 'spec' | 'status'>, root: string): ExternalCa[] {
  const present = status.rootCa.certificate
  return (spec.ca?.externalCas ?? []).filter(
    ({ caCertificate = present }) => caCertificate.trim() === root.trim(),
  )
}

async function signedOutside(
  parts: SigningParts,
  authorities: readonly ExternalCa[],
  issuer: Issuer,
  request: OutsideRequest,
): Promise<string> {
  using wait = startWait({ timeoutMs, what: 'an external CA to sign' })
  const certificate = await signOutside(authorities, request, parts.identity?.(), wait)
  await check(certificate, issuer, request)
  return `${certificate.trim()}\n${issuer.crossSigned ?? ''}`
}

/** An authority outside may be set up wrongly: what it signs must be what was asked for, and of the cluster's root. */
async function check(certificate: string, issuer: Issuer, request: OutsideRequest): Promise<void> {
  const facts = certificateFacts(certificate)
  const isAsked =
    facts.nodeId === request.subject?.commonName &&
    facts.clusterId === (request.subject.organization ?? '') &&
    facts.publicKeyDigest === (await requestKeyDigest(request.csr))
  if (!isAsked)
    throw new MureError('unavailable', 'the external CA signed something else than it was asked to')
  if (!isIssuedBy(new X509Certificate(certificate), issuer.certificate))
    throw new MureError('unavailable', "the external CA's certificate is not of the cluster's root")
}

/** What the replacement of the cluster's root asks of authorities outside, as a new specification names them. */
export function outsideAuthorities(
  parts: SigningParts,
  cluster: Pick<Cluster, 'spec' | 'status'>,
  wait: Wait,
): OutsideAuthorities {
  return {
    async signsWith(root) {
      for (const authority of authoritiesOf(cluster, root))
        if (await isReachable(authority, parts.identity?.(), wait)) return true
      return false
    },
    async crossSign(next) {
      const request = { csr: await createAuthorityRequest(next), hosts: [], profile: crossSignProfile }
      const authorities = authoritiesOf(cluster, cluster.status.rootCa.certificate)
      return `${(await signOutside(authorities, request, parts.identity?.(), wait)).trim()}\n`
    },
  }
}
