import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

/** Hosts' clocks differ: a certificate is valid from an hour before it was made. As swarmkit's. */
export const backdateMs = 3_600_000

/** The part of a certificate's life in which it is renewed: swarmkit's numbers. */
const renewFrom = 0.5
const renewTo = 0.8

export interface Validity {
  readonly notBefore: Instant
  readonly notAfter: Instant
}

/**
 * The life begins when the certificate was made, not when it was back-dated to: one of an hour would else be renewed
 * at its birth, again and again.
 */
function lifeOf({ notBefore, notAfter }: Validity): { readonly bornAt: number; readonly lifeMs: number } {
  const bornAt = Math.min(notBefore + backdateMs, notAfter)
  return { bornAt, lifeMs: notAfter - bornAt }
}

/** A moment between half and four fifths of a certificate's life, another for each node, so that not all come at once. */
export function renewalTime(certificate: Validity, random: Random): Instant {
  const { bornAt, lifeMs } = lifeOf(certificate)
  const spanMs = Math.max(1, Math.floor(lifeMs * (renewTo - renewFrom)))
  return instant(Math.floor(bornAt + lifeMs * renewFrom) + random.below(spanMs))
}

/** For who renews by itself, and so needs not be spread in time. */
export function isHalfOver(certificate: Validity, now: Instant): boolean {
  const { bornAt, lifeMs } = lifeOf(certificate)
  return now > bornAt + lifeMs * renewFrom
}
