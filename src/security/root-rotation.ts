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
