import { createPrivateKey, webcrypto } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { MureError } from '#lib/errors.ts'

/** How our own keys are made. A root that a person brings may have another kind of key, see `readSigningKey`. */
export const ownAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

export const newKeyPair = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(ownAlgorithm, true, ['sign', 'verify'])

/** PKCS#8, PEM. */
export async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return pemOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** What WebCrypto is told about a key that signs certificates. */
export type SigningAlgorithm =
  | { readonly name: 'ECDSA'; readonly namedCurve: string; readonly hash: string }
  | { readonly name: 'RSASSA-PKCS1-v1_5'; readonly hash: string }

export interface SigningKey {
  readonly algorithm: SigningAlgorithm
  readonly key: webcrypto.CryptoKey
  readonly keyObject: KeyObject
  /** PKCS#8, whichever form it came in. */
  readonly pem: string
}

/**
 * A private key that may sign certificates: ECDSA on P-256, P-384 or P-521, or RSA of 2048 bits and more, in any
 * unencrypted PEM form (PKCS#1, SEC 1, PKCS#8). `invalid` otherwise. The set and the words are swarmkit's.
 */
export async function readSigningKey(pem: string): Promise<SigningKey> {
  const keyObject = parseKey(pem)
  const algorithm = algorithmOf(keyObject)
  const der = keyObject.export({ type: 'pkcs8', format: 'der' })
  return {
    algorithm,
    key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']),
    keyObject,
    pem: pemOf(keyObject),
  }
}

const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

function parseKey(pem: string): KeyObject {
  if (pem.includes('ENCRYPTED'))
    throw new MureError('invalid', 'the CA key is encrypted: give it without a passphrase')
  try {
    return createPrivateKey(pem)
  } catch (error) {
    throw new MureError('invalid', 'malformed private key', { cause: error })
  }
}

const curves: Readonly<Record<string, { readonly namedCurve: string; readonly hash: string }>> = {
  prime256v1: { namedCurve: 'P-256', hash: 'SHA-256' },
  secp384r1: { namedCurve: 'P-384', hash: 'SHA-384' },
  secp521r1: { namedCurve: 'P-521', hash: 'SHA-512' },
}
const minRsaBits = 2048

function algorithmOf(key: KeyObject): SigningAlgorithm {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType === 'ec') {
    const curve = curves[details?.namedCurve ?? '']
    if (curve !== undefined) return { name: 'ECDSA', ...curve }
    throw new MureError('invalid', 'unsupported ECDSA key parameters: P-256, P-384 or P-521 is needed')
  }
  if (key.asymmetricKeyType === 'rsa') {
    if ((details?.modulusLength ?? 0) >= minRsaBits) return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
    throw new MureError('invalid', `unsupported RSA key parameters: ${String(minRsaBits)} bits are the least`)
  }
  throw new MureError('invalid', 'unsupported key algorithm: ECDSA or RSA is needed')
}
