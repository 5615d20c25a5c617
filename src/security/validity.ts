import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

/** Hosts' clocks differ: a certificate is valid from an hour before it was made. As swarmkit's. */
export const backdateMs = 3_600_000

/** The part of a certificate's life in which it is renewed: swarmkit's numbers. */
const renewFrom = 0.5
const renewTo = 0.8

/**
 * A moment between half and four fifths of a certificate's life, another for each node, so that not all come at
 * once. The life begins when it was made, not when it was back-dated to: one of an hour would else be renewed at
 * its birth, again and again.
 */
export function renewalTime(
  certificate: { readonly notBefore: Instant; readonly notAfter: Instant },
  random: Random,
): Instant {
  const bornAt = Math.min(certificate.notBefore + backdateMs, certificate.notAfter)
  const lifeMs = certificate.notAfter - bornAt
  const spanMs = Math.max(1, Math.floor(lifeMs * (renewTo - renewFrom)))
  return instant(Math.floor(bornAt + lifeMs * renewFrom) + random.below(spanMs))
}
