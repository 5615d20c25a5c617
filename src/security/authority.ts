import 'reflect-metadata'
import { createHash, randomBytes, webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { NodeRole } from '#model/node.ts'

x509.cryptoProvider.set(webcrypto)

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const dayMs = 24 * 3_600_000
const rootLifeMs = 20 * 365 * dayMs
/** Hosts' clocks differ: a certificate is valid from an hour before it was made. */
const backdateMs = 3_600_000

/** The role in a certificate, as its organizational unit; the names are Swarm's. */
const unitOfRole: Record<NodeRole, string> = { worker: 'swarm-worker', manager: 'swarm-manager' }
/** Only certificates of this name may speak to etcd's peers; a worker's never is. */
export const storePeerName = 'mure-store-peer'

/** A certificate and the key that belongs to it, both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** A new root: self-signed, 20 years. */
export async function createRoot(now: Instant): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=swarm-ca',
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + rootLifeMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) }
}

/** A key, and the request for a certificate over it. The key never leaves the node. */
export async function createRequest(): Promise<{ readonly csr: string; readonly key: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=node',
    keys,
    signingAlgorithm: algorithm,
  })
  return { csr: `${request.toString('pem')}\n`, key: await exportKey(keys.privateKey) }
}

export interface NodeSubject {
  readonly nodeId: string
  readonly clusterId: string
  readonly role: NodeRole
}

/** Answers a request with a node's certificate. Only the key is taken from the request: who it is, we say. */
export async function issueNodeCertificate(
  root: KeyPair,
  csr: string,
  subject: NodeSubject,
  validity: { now: Instant; lifeMs: number },
): Promise<string> {
  const unit = unitOfRole[subject.role]
  return issue(root, await requestKey(csr), {
    name: `O=${subject.clusterId}, OU=${unit}, CN=${subject.nodeId}`,
    names: [
      { type: 'dns', value: unit },
      { type: 'dns', value: subject.nodeId },
    ],
    ...validity,
  })
}

/** Answers a request with the certificate of an etcd member, whose peers check the address they speak to against it. */
export async function issueStorePeer(
  root: KeyPair,
  csr: string,
  addresses: readonly string[],
  validity: { now: Instant; lifeMs: number },
): Promise<string> {
  return issue(root, await requestKey(csr), {
    name: `CN=${storePeerName}`,
    names: addresses.map((value) => ({ type: 'ip' as const, value })),
    ...validity,
  })
}

/** The new root's key and name under the old root's signature: who trusts the old one may trust the new. */
export async function crossSign(old: KeyPair, next: string, now: Instant): Promise<string> {
  const certificate = new x509.X509Certificate(next)
  const generated = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: certificate.subject,
    issuer: new x509.X509Certificate(old.certificate).subject,
    notBefore: new Date(now - backdateMs),
    notAfter: certificate.notAfter,
    signingAlgorithm: algorithm,
    publicKey: await certificate.publicKey.export(webcrypto),
    signingKey: await importKey(old.key),
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  return pem(generated)
}

/** A root that a person brings: `invalid` unless it is a certificate authority and the key is its own. */
export async function importRoot(certificate: string, key: string): Promise<KeyPair> {
  const parsed = parse(certificate)
  const constraints = parsed.getExtension(x509.BasicConstraintsExtension)
  if (constraints?.ca !== true)
    throw new MureError('invalid', 'the certificate given is not a certificate authority')
  const signingKey = await importKey(key).catch((error: unknown) => {
    throw new MureError('invalid', 'the CA key given is not an unencrypted PKCS#8 ECDSA P-256 key', {
      cause: error,
    })
  })
  const probe = await webcrypto.subtle.sign(algorithm, signingKey, Buffer.from('probe'))
  const publicKey = await parsed.publicKey.export(webcrypto)
  if (!(await webcrypto.subtle.verify(algorithm, publicKey, probe, Buffer.from('probe'))))
    throw new MureError('invalid', 'the CA key given does not belong to the CA certificate')
  return { certificate: pem(parsed), key }
}

/** SHA-256 of a request's public key, hex: how a node is known over renewals. */
export async function requestKeyDigest(csr: string): Promise<string> {
  const request = await parseRequest(csr)
  return createHash('sha256').update(Buffer.from(request.publicKey.rawData)).digest('hex')
}

interface LeafOptions {
  readonly name: string
  readonly names: readonly { readonly type: 'dns' | 'ip'; readonly value: string }[]
  readonly now: Instant
  readonly lifeMs: number
}

async function issue(root: KeyPair, publicKey: webcrypto.CryptoKey, options: LeafOptions): Promise<string> {
  const issuer = new x509.X509Certificate(root.certificate)
  const notAfter = Math.min(options.now + options.lifeMs, issuer.notAfter.getTime())
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: options.name,
    issuer: issuer.subject,
    notBefore: new Date(options.now - backdateMs),
    notAfter: new Date(notAfter),
    signingAlgorithm: algorithm,
    publicKey,
    signingKey: await importKey(root.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(options.names.map((name) => ({ ...name }))),
      await x509.AuthorityKeyIdentifierExtension.create(issuer, false, webcrypto),
    ],
  })
  return pem(certificate)
}

async function parseRequest(csr: string): Promise<x509.Pkcs10CertificateRequest> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csr)
    if (await request.verify(webcrypto)) return request
  } catch (error) {
    throw new MureError('invalid', 'the certificate request cannot be read', { cause: error })
  }
  throw new MureError('invalid', 'the certificate request is not signed by its own key')
}

async function requestKey(csr: string): Promise<webcrypto.CryptoKey> {
  const request = await parseRequest(csr)
  return request.publicKey.export(algorithm, ['verify'], webcrypto)
}

function parse(certificate: string): x509.X509Certificate {
  try {
    return new x509.X509Certificate(certificate)
  } catch (error) {
    throw new MureError('invalid', 'the certificate given cannot be read; PEM is expected', { cause: error })
  }
}

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`

/** Positive and 16 bytes, as RFC 5280 asks. */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes.readUInt8(0) & 0x7f) | 0x40
  return bytes.toString('hex')
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`
}

function importKey(key: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(key)
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign'])
}
