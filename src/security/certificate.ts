import { createHash, X509Certificate } from 'node:crypto'
import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { NodeRole } from '#model/node.ts'
import { splitBundle } from './bundle.ts'
import { subjectOf } from './der.ts'

export { isHalfOver, renewalTime } from './validity.ts'

/** Who a certificate says its bearer is. */
export interface CertificateFacts {
  readonly nodeId: string
  readonly clusterId: string
  readonly role: NodeRole | undefined
  readonly notBefore: Instant
  readonly notAfter: Instant
  /** SHA-256 of the public key, hex. */
  readonly publicKeyDigest: string
}

export function certificateFacts(certificate: string | X509Certificate): CertificateFacts {
  const parsed = typeof certificate === 'string' ? new X509Certificate(certificate) : certificate
  const subject = new Map(
    parsed.subject.split('\n').map((line): [string, string] => {
      const at = line.indexOf('=')
      return [line.slice(0, at), line.slice(at + 1)]
    }),
  )
  const unit = subject.get('OU')
  return {
    nodeId: subject.get('CN') ?? '',
    clusterId: subject.get('O') ?? '',
    role: unit === 'swarm-manager' ? 'manager' : unit === 'swarm-worker' ? 'worker' : undefined,
    notBefore: instant(parsed.validFromDate.getTime()),
    notAfter: instant(parsed.validToDate.getTime()),
    publicKeyDigest: createHash('sha256')
      .update(parsed.publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex'),
  }
}

export type Verification =
  { readonly ok: true; readonly expired: boolean } | { readonly ok: false; readonly reason: string }

/** A leaf, the cross-signed authority of a rotation, and one more for safety. */
const maxChainLength = 3

/**
 * Whether one of the trusted roots has signed the certificate, itself or through the authorities that came along
 * with it. Time is judged apart: an expired certificate is good for renewal, so that a node which was off for years
 * can return by its key.
 */
export function verifyCertificate(certificate: X509Certificate, trust: string, now: Instant): Verification {
  const roots = splitBundle(trust).map((root) => new X509Certificate(root))
  const chain = chainTo(certificate, roots)
  if (chain === undefined) return { ok: false, reason: 'its certificate was not issued by this cluster' }
  if (now < certificate.validFromDate.getTime()) {
    return {
      ok: false,
      reason: `its certificate is valid only from ${certificate.validFromDate.toISOString()}, and it is ${new Date(now).toISOString()} here: set the clocks right`,
    }
  }
  return { ok: true, expired: chain.some((link) => now > link.validToDate.getTime()) }
}

/** The certificate and the authorities between it and a trusted root; undefined: there is no way to one. */
function chainTo(
  certificate: X509Certificate,
  roots: readonly X509Certificate[],
): readonly X509Certificate[] | undefined {
  const chain: X509Certificate[] = []
  let link: X509Certificate | undefined = certificate
  while (link !== undefined && chain.length < maxChainLength) {
    chain.push(link)
    const child: X509Certificate = link
    if (roots.some((root) => root.ca && isSignedBy(child, root))) return chain
    const parent: X509Certificate | undefined = child.issuerCertificate
    link = parent !== undefined && parent.ca && isSignedBy(child, parent) ? parent : undefined
  }
  return undefined
}

/** Whether this root, PEM, has signed the certificate itself. */
export const isIssuedBy = (certificate: X509Certificate, root: string): boolean =>
  isSignedBy(certificate, new X509Certificate(root))

const isSignedBy = (child: X509Certificate, authority: X509Certificate): boolean =>
  child.checkIssued(authority) && child.verify(authority.publicKey)

export interface TlsInfo {
  readonly trustRoot: string
  /** Base 64 of DER. */
  readonly issuerSubject: string
  readonly issuerPublicKey: string
}

/**
 * What `docker node inspect` shows as TLSInfo: the roots that a node trusts, and which of them has issued its
 * certificate. Without a certificate, or with one of another root, the first stands for it.
 */
export function tlsInfo(trust: string, certificate?: string): TlsInfo {
  const roots = splitBundle(trust).map((root) => new X509Certificate(root))
  const leaf = certificate === undefined ? undefined : new X509Certificate(certificate)
  const issuer = roots.find((root) => leaf !== undefined && isSignedBy(leaf, root)) ?? roots[0]
  if (issuer === undefined) throw new MureError('internal', 'there is no root certificate')
  return {
    trustRoot: trust,
    issuerSubject: subjectOf(issuer.raw).toString('base64'),
    issuerPublicKey: issuer.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}
