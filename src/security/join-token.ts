import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { fromBase36, toBase36 } from './base36.ts'

/** ceil(log36(2^256 - 1)) and ceil(log36(2^128 - 1)): every value has the same length. */
const digestLength = 50
const secretLength = 25
const secretBytes = 16
const digestBytes = 32
const shape = /^SWMTKN-1-([0-9a-z]{50})-([0-9a-z]{25})$/

/**
 * `SWMTKN-1-<digest>-<secret>`, both in base 36. Version 2 of the form says that a cluster demands FIPS mode, which
 * this one never does.
 * @see swarmkit ca/config.go
 */
export interface JoinToken {
  /** Of the cluster's root certificate, see `rootDigest`. */
  readonly digest: string
  readonly secret: string
}

/** A root certificate's SHA-256 as tokens carry it: a joiner checks it before it gives the secret away. */
export function rootDigest(rootCertificate: string): string {
  return toBase36(createHash('sha256').update(rootCertificate).digest(), digestLength)
}

/** A digest of a token as people compare it with what `sha256sum` says: hex. */
export function digestHex(digest: string): string {
  return fromBase36(digest, digestBytes).toString('hex')
}

/** A new token for this root, with 128 bits of chance. */
export function createJoinToken(rootCertificate: string): string {
  return `SWMTKN-1-${rootDigest(rootCertificate)}-${toBase36(randomBytes(secretBytes), secretLength)}`
}

/** `invalid` for anything that is no token. Whether it is a token of this cluster is another question. */
export function parseJoinToken(token: string): JoinToken {
  if (token.trim() === '')
    throw new MureError('invalid', 'A valid join token is necessary to join this cluster')
  const match = shape.exec(token.trim())
  if (match?.[1] === undefined || match[2] === undefined) throw new MureError('invalid', 'invalid join token')
  return { digest: match[1], secret: match[2] }
}

/** Compares in a time that tells nothing of how much is right. */
export function sameToken(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
