import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

interface PublicJwk {
  readonly crv: string
  readonly kty: string
  readonly x: string
  readonly y: string
}

/** The key that an account at an authority is known by: ECDSA on P-256. */
export class AccountKey {
  readonly #key: KeyObject
  readonly jwk: PublicJwk

  static generate(): AccountKey {
    return new AccountKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  }

  static read(pem: string): AccountKey {
    return new AccountKey(createPrivateKey(pem))
  }

  private constructor(key: KeyObject) {
    this.#key = key
    const { crv = '', kty = '', x = '', y = '' } = key.export({ format: 'jwk' })
    // In the order of the alphabet, as the thumbprint wants it.
    this.jwk = { crv, kty, x, y }
  }

  get pem(): string {
    return this.#key.export({ type: 'pkcs8', format: 'pem' }).toString()
  }

  /** @see RFC 7638 */
  get thumbprint(): string {
    return createHash('sha256').update(JSON.stringify(this.jwk)).digest('base64url')
  }

  /** A signed request, in the flattened form. @see RFC 7515, RFC 8555 section 6.2 */
  sign(header: object, payload: object | ''): string {
    const head = encoded({ alg: 'ES256', ...header })
    const body = payload === '' ? '' : encoded(payload)
    const signature = sign('sha256', Buffer.from(`${head}.${body}`), {
      key: this.#key,
      dsaEncoding: 'ieee-p1363',
    })
    return JSON.stringify({ protected: head, payload: body, signature: signature.toString('base64url') })
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
