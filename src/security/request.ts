import { createHash } from 'node:crypto'
import type { webcrypto } from 'node:crypto'
import { MureError } from '#lib/errors.ts'
import { exportKey, newKeyPair, ownAlgorithm, readSigningKey } from './keys.ts'
import { x509 } from './x509.ts'

/** A key, and the request for a certificate over it. The key never leaves the node. */
export async function createRequest(): Promise<{ readonly csr: string; readonly key: string }> {
  const keys = await newKeyPair()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=node',
    keys,
    signingAlgorithm: ownAlgorithm,
  })
  return { csr: `${request.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

/** A request for an authority's certificate over the key that it has, under the name that it has. */
export async function createAuthorityRequest(authority: {
  readonly certificate: string
  readonly key: string
}): Promise<string> {
  const { key, algorithm } = await readSigningKey(authority.key)
  const { subject, publicKey } = new x509.X509Certificate(authority.certificate)
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: subject,
    keys: { privateKey: key, publicKey: await publicKey.export(algorithm, ['verify']) },
    signingAlgorithm: algorithm,
  })
  return `${request.toString('pem')}\n`
}

/** SHA-256 of a request's public key, hex: how a node is known over renewals. */
export async function requestKeyDigest(csr: string): Promise<string> {
  const request = await readRequest(csr)
  return createHash('sha256').update(Buffer.from(request.publicKey.rawData)).digest('hex')
}

/** The public key of a request that is signed by that very key. `invalid` for anything else. */
export async function requestKey(csr: string): Promise<webcrypto.CryptoKey> {
  const request = await readRequest(csr)
  try {
    return await request.publicKey.export(ownAlgorithm, ['verify'])
  } catch (error) {
    throw new MureError('invalid', 'the certificate request is not for an ECDSA P-256 key', { cause: error })
  }
}

async function readRequest(csr: string): Promise<x509.Pkcs10CertificateRequest> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csr)
    if (await request.verify()) return request
  } catch (error) {
    throw new MureError('invalid', 'the certificate request cannot be read', { cause: error })
  }
  throw new MureError('invalid', 'the certificate request is not signed by its own key')
}
