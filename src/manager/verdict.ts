import type { Instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { Change } from '#model/change.ts'

/** Why something was decided, in words that a person can act on, about one object. */
export interface Explanation {
  readonly kind: string
  readonly id: string
  readonly text: string
}

/** What a decision gives back: changes to store, and when to look again if nothing else happens. */
export interface Verdict {
  readonly changes: readonly Change[]
  readonly wakeAt?: Instant
  readonly because: readonly Explanation[]
}

/** What a decision may know beside its view. */
export interface Environment {
  readonly now: Instant
  readonly random: Random
  /** Nothing runs by the clock: what is decided is to be the answer to a change, and to nothing else. */
  readonly schedulesRest?: boolean
}
