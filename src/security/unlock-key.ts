import { randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'

const keyBytes = 32
/** 32 bytes in base 64 without padding. The last digit carries only four bits. */
const shape = /^SWMKEY-1-([A-Za-z0-9+/]{43})$/

/** A new key of Swarm's form: 256 bits. */
export function createUnlockKey(): string {
  return formatUnlockKey(randomBytes(keyBytes))
}

function formatUnlockKey(key: Buffer): string {
  return `SWMKEY-1-${key.toString('base64').replace(/=+$/, '')}`
}

/** The key's bytes. `invalid`, in swarmkit's words, for anything else. */
export function parseUnlockKey(text: string): Buffer {
  const key = Buffer.from(shape.exec(text.trim())?.[1] ?? '', 'base64')
  // A key has one spelling: what was mistyped in the bits that base 64 leaves over is not silently another.
  if (key.length !== keyBytes || formatUnlockKey(key) !== text.trim())
    throw new MureError('invalid', 'invalid key string')
  return key
}
