import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { RootCa } from '#model/cluster.ts'
import { createRoot, crossSign, importRoot } from './authority.ts'
import type { KeyPair } from './authority.ts'

export interface RotationWish {
  /** A root that a person brings; without one a new root is made. */
  readonly certificate?: string
  readonly key?: string
}

/** What external authorities do in a replacement of the root. */
export interface OutsideAuthorities {
  /** Whether one that signs with this root is named and answers. */
  signsWith(certificate: string): Promise<boolean>
  /** The signature of the present root, which is theirs, over the next one. */
  crossSign(next: KeyPair): Promise<string>
}

/**
 * The next root under the present one's signature. A rotation that runs already is replaced: its certificates are
 * still good, as the present root vouches for them. The rules and their words are swarmkit's.
 */
export async function beginRotation(
  rootCa: RootCa,
  wish: RotationWish,
  now: Instant,
  outside: OutsideAuthorities,
): Promise<RootCa> {
  if (isHandedOut(rootCa, wish)) {
    await requireAuthority(outside, rootCa.certificate, 'current')
    const { rotation: _, ...present } = rootCa
    return { ...present, key: '' }
  }
  const next = await nextRoot(rootCa, wish, now)
  if (next.key === '') {
    await requireAuthority(outside, next.certificate, 'desired')
    if (rootCa.key === '')
      throw new MureError(
        'invalid',
        'rotating from one external CA to a different external CA is not supported',
      )
  }
  if (rootCa.key === '') await requireAuthority(outside, rootCa.certificate, 'current')
  const crossSigned =
    rootCa.key === '' ? await outside.crossSign(next) : await crossSign(rootCa, next.certificate, now)
  return { ...rootCa, rotation: { ...next, crossSigned, startedAt: now } }
}

/** The present root goes on, but its key is not the cluster's any more. */
const isHandedOut = (rootCa: RootCa, { certificate, key }: RotationWish): boolean =>
  key === undefined && certificate?.trim() === rootCa.certificate.trim()

async function requireAuthority(
  outside: OutsideAuthorities,
  certificate: string,
  which: string,
): Promise<void> {
  if (!(await outside.signsWith(certificate)))
    throw new MureError(
      'invalid',
      `there must be at least one valid, reachable external CA corresponding to the ${which} CA certificate`,
    )
}

function nextRoot(rootCa: RootCa, { certificate, key }: RotationWish, now: Instant): Promise<KeyPair> {
  if (certificate !== undefined)
    return importRoot(certificate, key ?? '', { now, current: rootCa.certificate })
  if (key !== undefined)
    throw new MureError(
      'invalid',
      'if a signing CA key is provided, the signing CA cert must also be provided',
    )
  return createRoot(now)
}
