import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { NodeId } from '#model/id.ts'
import { certificateFacts, verifyCertificate } from '#security/certificate.ts'
import type { CertificateFacts } from '#security/certificate.ts'
import type { Audience, Peer } from './transport.ts'

interface Judged {
  readonly trust: string
  readonly facts: CertificateFacts
  /** Why the certificate is refused, whatever the call. */
  readonly refusal: string | undefined
}

/**
 * Who is at the other end of one connection. The chain is verified once and again when the roots change; the time,
 * and whether the node was removed, count anew for each call.
 */
export class ConnectionPeer {
  readonly #certificate: X509Certificate | undefined
  readonly #remoteAddress: string
  #judged: Judged | undefined

  constructor(socket: TLSSocket) {
    this.#certificate = socket.getPeerX509Certificate()
    this.#remoteAddress = socket.remoteAddress ?? ''
  }

  /** Whether its certificate bears this id, be it good or not. */
  claims(nodeId: NodeId): boolean {
    return this.#certificate !== undefined && certificateFacts(this.#certificate).nodeId === nodeId
  }

  /** Undefined for a caller without a certificate. `unauthenticated` for one whose certificate is not ours. */
  identify(by: {
    readonly trust: string
    readonly clusterId: string
    readonly now: Instant
  }): Peer | undefined {
    if (this.#certificate === undefined) return undefined
    if (this.#judged?.trust !== by.trust || this.#judged.refusal !== undefined)
      this.#judged = judge(this.#certificate, by)
    const { facts, refusal } = this.#judged
    if (refusal !== undefined) throw refused(refusal)
    const { role, notAfter } = facts
    const nodeId = facts.nodeId as NodeId
    if (role === undefined) throw refused('its certificate is not that of a node')
    return {
      nodeId,
      role,
      remoteAddress: this.#remoteAddress,
      expired: by.now > notAfter,
      certificateEndsAt: notAfter,
    }
  }
}

const refused = (reason: string) => new MureError('unauthenticated', `the caller is refused: ${reason}`)

function judge(
  certificate: X509Certificate,
  by: { readonly trust: string; readonly clusterId: string; readonly now: Instant },
): Judged {
  const facts = certificateFacts(certificate)
  const verified = verifyCertificate(certificate, by.trust, by.now)
  const reason = verified.ok
    ? facts.clusterId === by.clusterId
      ? undefined
      : 'it is of another cluster'
    : verified.reason
  return { trust: by.trust, facts, refusal: reason }
}

/**
 * Throws unless the peer is one of those whom the call is for. A manager is who has a manager's certificate and is
 * one still: certificates of demoted and removed managers live on for weeks.
 */
export function admit(
  audience: Audience,
  peer: Peer | undefined,
  by: { readonly now: Instant; readonly isManager: ((nodeId: NodeId) => boolean) | undefined },
): void {
  if (audience === 'anyone') return
  if (peer === undefined) throw new MureError('unauthenticated', 'a node certificate is needed')
  if (audience === 'renewal') return
  if (peer.expired)
    throw new MureError(
      'unauthenticated',
      `the node certificate has expired: it was valid until ${new Date(peer.certificateEndsAt).toISOString()}, and it is ${new Date(by.now).toISOString()} here. Renew it, or set the clocks right.`,
      { details: { expired: true } },
    )
  if (audience === 'manager' && (peer.role !== 'manager' || by.isManager?.(peer.nodeId) === false))
    throw new MureError('forbidden', 'only a manager may do this')
}
