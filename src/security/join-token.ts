import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { toBase36 } from './base36.ts'

const digestLength = 50
const secretLength = 25
const shape = /^SWMTKN-1-([0-9a-z]{50})-([0-9a-z]{25})$/

export interface JoinToken {
  /** Base 36 of the SHA-256 of the cluster's root certificate. */
  readonly digest: string
  readonly secret: string
}

/** A root certificate's digest as tokens carry it: a joiner checks it before it gives the secret away. */
export function rootDigest(rootCertificate: string): string {
  return toBase36(createHash('sha256').update(rootCertificate).digest(), digestLength)
}

/** A new token of Swarm's form for this root, with 128 bits of chance. */
export function createJoinToken(rootCertificate: string): string {
  return `SWMTKN-1-${rootDigest(rootCertificate)}-${toBase36(randomBytes(16), secretLength)}`
}

/** The same secret for another root: what a finished CA rotation needs. */
export function parseJoinToken(token: string): JoinToken {
  const match = shape.exec(token.trim())
  if (match?.[1] === undefined || match[2] === undefined) throw new MureError('invalid', 'invalid join token')
  return { digest: match[1], secret: match[2] }
}

/** Compares in a time that tells nothing of how much is right. */
export function sameToken(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
