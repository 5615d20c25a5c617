import { randomBytes, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Instant } from '#lib/clock.ts'
import { MureError } from '#lib/errors.ts'
import type { NodeRole } from '#model/node.ts'
import { splitBundle } from './bundle.ts'
import { exportKey, newKeyPair, ownAlgorithm, readSigningKey } from './keys.ts'
import { requestKey } from './request.ts'
import { backdateMs } from './validity.ts'
import { x509 } from './x509.ts'

export { createAuthorityRequest, createRequest, requestKeyDigest } from './request.ts'

const dayMs = 24 * 3_600_000
const rootLifeMs = 20 * 365 * dayMs
/** As swarmkit's: a root that a person brings must last a year more. */
const minImportedLifeMs = 365 * dayMs

/** The role in a certificate, as its organizational unit; the names are Swarm's. */
export const unitOfRole: Readonly<Record<NodeRole, string>> = {
  worker: 'swarm-worker',
  manager: 'swarm-manager',
}
/** Only certificates of this name may speak to etcd's peers; a worker's never is. */
export const storePeerName = 'mure-store-peer'

/** A certificate and the key that belongs to it, both PEM. */
export interface KeyPair {
  readonly certificate: string
  readonly key: string
}

/** What signs certificates. */
export interface Issuer extends KeyPair {
  /**
   * While a root is being replaced: the old root's signature over it (`crossSign`). It is appended to every
   * certificate, so that nodes which trust the old root alone accept those of the new one.
   */
  readonly crossSigned?: string
}

/** A new root: self-signed, 20 years. */
export async function createRoot(now: Instant): Promise<KeyPair> {
  const keys = await newKeyPair()
  const keyId = await keyIdentifier(keys.publicKey)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: new x509.Name([{ CN: ['swarm-ca'] }]),
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(now + rootLifeMs),
    signingAlgorithm: ownAlgorithm,
    keys,
    extensions: [...authorityExtensions(), new x509.SubjectKeyIdentifierExtension(keyId)],
  })
  return { certificate: pem(certificate), key: await exportKey(keys.privateKey) }
}

export interface NodeSubject {
  readonly nodeId: string
  readonly clusterId: string
  readonly role: NodeRole
  /** IP addresses and host names that others may reach it by, beside its role and its id. */
  readonly addresses?: readonly string[]
}

interface Validity {
  readonly now: Instant
  readonly lifeMs: number
}

/** Answers a request with a node's certificate. Only the key is taken from the request: who it is, we say. */
export async function issueNodeCertificate(
  issuer: Issuer,
  csr: string,
  subject: NodeSubject,
  validity: Validity,
): Promise<string> {
  const unit = unitOfRole[subject.role]
  return issue(issuer, csr, {
    subject: [{ O: [subject.clusterId] }, { OU: [unit] }, { CN: [subject.nodeId] }],
    names: [unit, subject.nodeId, ...(subject.addresses ?? [])],
    ...validity,
  })
}

/** Answers a request with the certificate of an etcd member, whose peers check the address they speak to against it. */
export async function issueStorePeer(
  issuer: Issuer,
  csr: string,
  addresses: readonly string[],
  validity: Validity,
): Promise<string> {
  return issue(issuer, csr, { subject: [{ CN: [storePeerName] }], names: addresses, ...validity })
}

/** The new root's key and name under the old root's signature: who trusts the old one may trust the new. */
export async function crossSign(old: KeyPair, next: string, now: Instant): Promise<string> {
  const subject = new x509.X509Certificate(next)
  const issuer = new x509.X509Certificate(old.certificate)
  const { key, algorithm } = await readSigningKey(old.key)
  const crossSigned = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: subject.subjectName,
    issuer: issuer.subjectName,
    notBefore: new Date(now - backdateMs),
    notAfter: new Date(Math.min(subject.notAfter.getTime(), issuer.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: subject.publicKey,
    signingKey: key,
    // Both identifiers: the two roots may bear one name, and OpenSSL would take this for a self-signed one.
    extensions: [
      ...authorityExtensions(),
      new x509.SubjectKeyIdentifierExtension(await keyIdentifier(subject)),
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifier(issuer)),
    ],
  })
  return pem(crossSigned)
}

/**
 * A root that a person brings: `docker swarm ca --rotate --ca-cert --ca-key`. `invalid`, in swarmkit's words, unless
 * it is one authority that lasts a year more and the key is its own; also when its key is that of the `current` root.
 */
export async function importRoot(
  certificate: string,
  key: string,
  options: { readonly now: Instant; readonly current?: string },
): Promise<KeyPair> {
  const parsed = parseRoot(certificate)
  // Without a key it is an authority outside that signs with it.
  const signing = key === '' ? undefined : await readSigningKey(key)
  if (!parsed.ca) throw new MureError('invalid', 'certificate not a CA')
  if (signing !== undefined && !parsed.checkPrivateKey(signing.keyObject))
    throw new MureError('invalid', 'certificate key mismatch')
  if (parsed.validToDate.getTime() < options.now + minImportedLifeMs)
    throw new MureError(
      'invalid',
      `CA certificate expires too soon: on ${parsed.validToDate.toISOString()}, and a year is the least`,
    )
  if (options.now < parsed.validFromDate.getTime())
    throw new MureError(
      'invalid',
      `the CA certificate is valid only from ${parsed.validFromDate.toISOString()}`,
    )
  if (
    options.current !== undefined &&
    parsed.publicKey.equals(new X509Certificate(options.current).publicKey)
  )
    throw new MureError('invalid', 'Cannot update to a cert with an identical key')
  return { certificate: parsed.toString(), key: signing?.pem ?? '' }
}

function parseRoot(certificate: string): X509Certificate {
  if (splitBundle(certificate).length > 1)
    throw new MureError('invalid', 'the desired CA certificate cannot contain multiple certificates')
  try {
    return new X509Certificate(certificate)
  } catch (error) {
    throw new MureError('invalid', 'could not parse the desired CA certificate', { cause: error })
  }
}

interface LeafOptions extends Validity {
  readonly subject: x509.JsonName
  readonly names: readonly string[]
}

async function issue(issuer: Issuer, csr: string, options: LeafOptions): Promise<string> {
  const authority = new x509.X509Certificate(issuer.certificate)
  const { key, algorithm } = await readSigningKey(issuer.key)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: new x509.Name(options.subject),
    issuer: authority.subjectName,
    notBefore: new Date(options.now - backdateMs),
    // Nothing outlives what vouches for it.
    notAfter: new Date(Math.min(options.now + options.lifeMs, authority.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey: await requestKey(csr),
    signingKey: key,
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
      new x509.SubjectAlternativeNameExtension(
        [...new Set(options.names)].map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      new x509.AuthorityKeyIdentifierExtension(await keyIdentifier(authority)),
    ],
  })
  return pem(certificate) + (issuer.crossSigned ?? '')
}

/** Of any path length: with each rotation one more authority stands between the oldest root and a leaf. */
const authorityExtensions = (): x509.Extension[] => [
  new x509.BasicConstraintsExtension(true, undefined, true),
  new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
]

/** As a certificate names itself, or else, as RFC 5280 proposes, from its key. Hex. */
async function keyIdentifier(of: x509.X509Certificate | CryptoKey): Promise<string> {
  if (!(of instanceof x509.X509Certificate))
    return Buffer.from(await (await x509.PublicKey.create(of)).getKeyIdentifier()).toString('hex')
  const own = of.getExtension(x509.SubjectKeyIdentifierExtension)
  return own?.keyId ?? Buffer.from(await of.publicKey.getKeyIdentifier()).toString('hex')
}

const pem = (certificate: x509.X509Certificate): string => `${certificate.toString('pem')}\n`

/** Positive and 16 bytes, as RFC 5280 asks. */
function serial(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes.readUInt8(0) & 0x7f) | 0x40
  return bytes.toString('hex')
}
