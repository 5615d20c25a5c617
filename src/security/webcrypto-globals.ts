import type { webcrypto } from 'node:crypto'

// @peculiar/x509 speaks of WebCrypto's types by their names in browsers; these are Node's.
declare global {
  type Crypto = webcrypto.Crypto
  type CryptoKey = webcrypto.CryptoKey
  type CryptoKeyPair = webcrypto.CryptoKeyPair
  type Algorithm = webcrypto.Algorithm
  type EcKeyGenParams = webcrypto.EcKeyGenParams
  type EcdsaParams = webcrypto.EcdsaParams
  type RsaHashedKeyGenParams = webcrypto.RsaHashedKeyGenParams
}
