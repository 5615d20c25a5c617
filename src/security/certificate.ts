import { createHash, X509Certificate } from 'node:crypto'
import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import type { NodeRole } from '#model/node.ts'

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

/** Each certificate of a bundle. */
export function splitBundle(bundle: string): string[] {
  return bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g) ?? []
}

export type Verification =
  { readonly ok: true; readonly expired: boolean } | { readonly ok: false; readonly reason: string }

/**
 * Whether one of the trusted roots has signed the certificate. Time is judged apart: an expired certificate is
 * good for renewal, so that a node which was off for years can return by its key.
 */
export function verifyCertificate(certificate: X509Certificate, trust: string, now: Instant): Verification {
  const signed = splitBundle(trust).some((root) => {
    const authority = new X509Certificate(root)
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
  })
  if (!signed) return { ok: false, reason: 'its certificate was not issued by this cluster' }
  if (now < certificate.validFromDate.getTime()) {
    return {
      ok: false,
      reason: `its certificate is valid only from ${certificate.validFromDate.toISOString()}, and it is ${new Date(now).toISOString()} here: set the clocks right`,
    }
  }
  return { ok: true, expired: now > certificate.validToDate.getTime() }
}

/** A moment in the second half of a certificate's life, another for each node, so that not all come at once. */
export function renewalTime(
  facts: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  random: Random,
): Instant {
  const life = facts.notAfter - facts.notBefore
  return instant(facts.notBefore + life / 2 + random.below(Math.max(1, Math.floor(life * 0.3))))
}

/** What `docker node inspect` shows as TLSInfo. */
export function tlsInfo(trust: string): {
  trustRoot: string
  issuerSubject: string
  issuerPublicKey: string
} {
  const first = splitBundle(trust)[0]
  if (first === undefined) throw new MureError('internal', 'there is no root certificate')
  const root = new X509Certificate(first)
  return {
    trustRoot: trust,
    issuerSubject: rawSubject(root).toString('base64'),
    issuerPublicKey: root.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  }
}

/** DER of a name with one common name: SEQUENCE of SET of SEQUENCE of OID 2.5.4.3 and a UTF-8 string. */
function rawSubject(certificate: X509Certificate): Buffer {
  const name = Buffer.from(/CN=(.*)/.exec(certificate.subject)?.[1] ?? '')
  const value = Buffer.concat([Buffer.from([0x13, name.length]), name])
  const attribute = Buffer.concat([Buffer.from([0x06, 0x03, 0x55, 0x04, 0x03]), value])
  return wrap(0x30, wrap(0x31, wrap(0x30, attribute)))
}

const wrap = (tag: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([tag, content.length]), content])
