import type { RootCa } from '#model/cluster.ts'
import type { NodeDescription } from '#model/node.ts'
import type { Issuer } from './authority.ts'
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
