import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { RootCa } from '#model/cluster.ts'
import type { NodeDescription } from '#model/node.ts'
import { createRoot, crossSign, importRoot } from './authority.ts'
import type { Issuer, KeyPair } from './authority.ts'
import { splitBundle } from './bundle.ts'
import { tlsInfo } from './certificate.ts'

// The cluster's root over its life. A rotation has two halves: first every node trusts both roots and gets a
// certificate of the new one, while what it shows is vouched for by either; once all have, the old root is dropped.

/** All roots that count now, the present one first. */
export const trustOf = ({ certificate, rotation }: RootCa): string =>
  rotation === undefined ? certificate : certificate + rotation.certificate

/** The root that certificates are to be of from now on. */
export const signingRootOf = ({ certificate, rotation }: RootCa): string =>
  rotation?.certificate ?? certificate

/** What signs the certificates of nodes. */
export const issuerOf = ({ certificate, key, rotation }: RootCa): Issuer => rotation ?? { certificate, key }

/** What signs the certificates of the store's members: vouched for by the last roots even after a rotation. */
export function storeIssuerOf(rootCa: RootCa): Issuer {
  const { certificate, key, rotation } = rootCa
  const signatures = [...splitBundle(rotation?.crossSigned ?? ''), ...splitBundle(rootCa.crossSigned ?? '')]
  const issuer = rotation ?? { certificate, key }
  return { ...issuer, crossSigned: signatures.join('') }
}

export interface RotationWish {
  /** A root that a person brings; without one a new root is made. */
  readonly certificate?: string
  readonly key?: string
}

/**
 * The next root under the present one's signature. A rotation that runs already is replaced: its certificates are
 * still good, as the present root vouches for them.
 */
export async function beginRotation(rootCa: RootCa, wish: RotationWish, now: Instant): Promise<RootCa> {
  const next = await nextRoot(rootCa, wish, now)
  return {
    ...rootCa,
    rotation: { ...next, crossSigned: await crossSign(rootCa, next.certificate, now), startedAt: now },
  }
}

function nextRoot(rootCa: RootCa, { certificate, key }: RotationWish, now: Instant): Promise<KeyPair> {
  if (certificate === undefined) {
    if (key !== undefined)
      throw new MureError(
        'invalid',
        'if a signing CA key is provided, the signing CA cert must also be provided',
      )
    return createRoot(now)
  }
  if (key === undefined)
    throw new MureError(
      'invalid',
      'a CA certificate without its key needs an external CA that signs with it: give --ca-key too',
    )
  return importRoot(certificate, key, { now, current: rootCa.certificate })
}

/** As many rotations may follow one another before a member of the store was started anew. */
const rememberedRoots = 3

/** The rotation's root is the only one from now on. */
export function endRotation(rootCa: RootCa): RootCa {
  if (rootCa.rotation === undefined) return rootCa
  const { certificate, key, crossSigned } = rootCa.rotation
  const earlier = splitBundle(rootCa.crossSigned ?? '').slice(0, rememberedRoots - 1)
  return { certificate, key, crossSigned: [crossSigned, ...earlier].join(''), epoch: rootCa.epoch + 1 }
}

/** Whether a node, by what it says of itself, has a certificate of the root that signs now, and trusts it. */
export function hasFollowed(tls: NodeDescription['tls'], rootCa: RootCa): boolean {
  const wanted = tlsInfo(signingRootOf(rootCa))
  return (
    tls !== undefined &&
    tls.certificateIssuerPublicKey === wanted.issuerPublicKey &&
    tls.certificateIssuerSubject === wanted.issuerSubject &&
    tls.trustRoot.includes(wanted.trustRoot)
  )
}
