import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'

const nonceBytes = 12
const tagBytes = 16
const format = 1

/** AES-256 keys by number; the last is the one to seal with. */
export interface KeyRing {
  readonly keys: readonly { readonly id: number; readonly key: Buffer }[]
}

export const newKey = (): Buffer => randomBytes(32)

/**
 * AES-256-GCM. `context` is authenticated along: a blob put in another's place does not open.
 * Layout: format (1), key id (4), nonce (12), tag (16), ciphertext.
 */
export function seal(ring: KeyRing, plain: Buffer, context: string): Buffer {
  const current = ring.keys.at(-1)
  if (current === undefined) throw new MureError('internal', 'there is no key to seal with')
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce)
  cipher.setAAD(Buffer.from(context))
  const body = Buffer.concat([cipher.update(plain), cipher.final()])
  const head = Buffer.alloc(5)
  head.writeUInt8(format, 0)
  head.writeUInt32BE(current.id, 1)
  return Buffer.concat([head, nonce, cipher.getAuthTag(), body])
}

export function open(ring: KeyRing, sealed: Buffer, context: string): Buffer {
  if (sealed.length < 5 + nonceBytes + tagBytes || sealed[0] !== format)
    throw new MureError('internal', 'sealed data is damaged or of another kind')
  const id = sealed.readUInt32BE(1)
  const key = ring.keys.find((candidate) => candidate.id === id)?.key
  if (key === undefined)
    throw new MureError('precondition', `the key ${String(id)} that this was sealed with is not here`)
  const nonce = sealed.subarray(5, 5 + nonceBytes)
  const tag = sealed.subarray(5 + nonceBytes, 5 + nonceBytes + tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(tag)
  try {
    return Buffer.concat([decipher.update(sealed.subarray(5 + nonceBytes + tagBytes)), decipher.final()])
  } catch (error) {
    throw new MureError('precondition', 'sealed data does not open with this key', { cause: error })
  }
}
