import { randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'

const keyBytes = 32
const prefix = 'SWMKEY-1-'

/** A new key of Swarm's form: 256 bits, base 64 without padding. */
export function createUnlockKey(): string {
  return prefix + randomBytes(keyBytes).toString('base64').replace(/=+$/, '')
}

/** The key's bytes. `invalid` for anything else. */
export function parseUnlockKey(text: string): Buffer {
  const trimmed = text.trim()
  if (!trimmed.startsWith(prefix))
    throw new MureError('invalid', 'invalid unlock key: it begins with SWMKEY-1-')
  const key = Buffer.from(trimmed.slice(prefix.length), 'base64')
  if (key.length !== keyBytes)
    throw new MureError('invalid', 'invalid unlock key: it is cut short or too long')
  return key
}
