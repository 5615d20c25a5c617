declare const instantBrand: unique symbol

/** A moment: milliseconds since 1970, UTC. */
export type Instant = number & { readonly [instantBrand]: 'Instant' }

export const instant = (epochMs: number): Instant => epochMs as Instant

/** Wall time for what people read, monotonic time for what is measured: a clock that jumps must not end a lease. */
export interface Clock {
  now(): Instant
  /** Milliseconds from an arbitrary start; never jumps. */
  monotonicMs(): number
}

export const systemClock: Clock = {
  now: () => instant(Date.now()),
  monotonicMs: () => performance.now(),
}
