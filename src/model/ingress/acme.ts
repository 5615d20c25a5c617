import type { Instant } from '#lib/clock.ts'

/** Why a host has no certificate of the authority yet. */
export interface AcmeFailure {
  readonly message: string
  readonly at: Instant
  readonly attempts: number
}

/** By host. */
export type AcmeFailures = Readonly<Record<string, AcmeFailure>>
