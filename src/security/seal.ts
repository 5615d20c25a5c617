import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { takeRandomBytes } from '#lib/random-bytes.ts'

const nonceBytes = 12
const tagBytes = 16
const format = 1
const headBytes = 5 + nonceBytes + tagBytes

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
  const nonce = takeRandomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', current.key, nonce)
  cipher.setAAD(Buffer.from(context))
  const sealed = Buffer.allocUnsafe(headBytes + plain.length)
  sealed.writeUInt8(format, 0)
  sealed.writeUInt32BE(current.id, 1)
  sealed.set(nonce, 5)
  // A counter mode: as many bytes out as in, and none held back.
  sealed.set(cipher.update(plain), headBytes)
  cipher.final()
  sealed.set(cipher.getAuthTag(), 5 + nonceBytes)
  return sealed
}

export function open(ring: KeyRing, sealed: Buffer, context: string): Buffer {
  if (sealed.length < headBytes || sealed[0] !== format)
    throw new MureError('internal', 'sealed data is damaged or of another kind')
  const id = sealed.readUInt32BE(1)
  const key = ring.keys.find((candidate) => candidate.id === id)?.key
  if (key === undefined)
    throw new MureError('precondition', `the key ${String(id)} that this was sealed with is not here`)
  const nonce = sealed.subarray(5, 5 + nonceBytes)
  const tag = sealed.subarray(5 + nonceBytes, headBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(tag)
  try {
    const plain = decipher.update(sealed.subarray(headBytes))
    decipher.final()
    return plain
  } catch (error) {
    throw new MureError('precondition', 'sealed data does not open with this key', { cause: error })
  }
}
