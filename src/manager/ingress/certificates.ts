import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { errorText } from '#lib/errors.ts'
import type { Instant } from '#lib/clock.ts'
import type { Secret } from '#model/secret.ts'
import type { View } from '#store/mirror/view.ts'

/** A certificate with its chain and key, or what is wrong with it in words that follow the secret's name. */
export type FoundCertificate = { readonly pem: string } | { readonly problem: string }

/** The secret that holds the authority's certificate of a host. */
export const acmeSecretName = (host: string): string =>
  // A secret's name has 64 letters at most.
  `mure-acme-${host.length <= 54 ? host : createHash('sha256').update(host).digest('hex').slice(0, 40)}`

/**
 * What a secret holds for these hosts: certificate and key in one, or `<name>.crt` and `<name>.key`. One that has
 * expired or is for other hosts is a problem, and none to be shown to a visitor.
 */
export function certificateOfSecret(
  view: View,
  name: string,
  hosts: readonly string[],
  now: Instant,
): FoundCertificate {
  const whole = view.byName('secret', name)
  const parts =
    whole === undefined ? [`${name}.crt`, `${name}.key`].map((one) => view.byName('secret', one)) : [whole]
  if (parts.some((part) => part === undefined))
    return { problem: `it does not exist, nor do ${name}.crt and ${name}.key` }
  return checkCertificate(parts.map((part) => textOf(part)).join('\n'), hosts, now)
}

const textOf = (secret: Secret | undefined): string =>
  Buffer.from(secret?.spec.data ?? '', 'base64').toString()

const known = new Map<string, { certificate: X509Certificate; pem: string } | { problem: string }>()
const knownLimit = 1_000

export function checkCertificate(pem: string, hosts: readonly string[], now: Instant): FoundCertificate {
  const read = readOnce(pem)
  if ('problem' in read) return read
  const { certificate } = read
  if (Date.parse(certificate.validTo) <= now)
    return { problem: `the certificate expired on ${certificate.validTo}` }
  if (Date.parse(certificate.validFrom) > now)
    return { problem: `the certificate is valid only from ${certificate.validFrom}` }
  // A wildcard host is asked for by any name below it.
  const missing = hosts.filter(
    (host) => host !== '*' && certificate.checkHost(host.replace(/^\*/, 'any')) === undefined,
  )
  if (missing.length > 0)
    return { problem: `the certificate is for ${namesOf(certificate)}, not for ${missing.join(', ')}` }
  return { pem: read.pem }
}

/** From when until when the first certificate of a text is valid; undefined if there is none that can be read. */
export function validityOf(pem: string): { readonly from: number; readonly to: number } | undefined {
  const read = readOnce(pem)
  if ('problem' in read) return undefined
  return { from: Date.parse(read.certificate.validFrom), to: Date.parse(read.certificate.validTo) }
}

/** Reading takes a millisecond, and routes are looked at with each change of any service. */
function readOnce(pem: string): { certificate: X509Certificate; pem: string } | { problem: string } {
  let read = known.get(pem)
  if (read === undefined) {
    read = readCertificate(pem)
    if (known.size >= knownLimit) known.clear()
    known.set(pem, read)
  }
  return read
}

function readCertificate(text: string): { certificate: X509Certificate; pem: string } | { problem: string } {
  // Only the blocks themselves: what people write around them is not for HAProxy.
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[A-Za-z0-9+/=\s]+-----END \1-----/g) ?? []
  const certificates = blocks.filter((block) => block.includes('BEGIN CERTIFICATE'))
  const key = blocks.find((block) => block.includes('PRIVATE KEY'))
  if (certificates.length === 0) return { problem: 'there is no certificate in it' }
  if (key === undefined) return { problem: 'there is no private key in it' }
  try {
    const certificate = new X509Certificate(certificates[0] ?? '')
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      return { problem: 'the private key is of another certificate' }
    return { certificate, pem: `${[...certificates, key].join('\n')}\n` }
  } catch (error) {
    return { problem: `it cannot be read: ${errorText(error)}` }
  }
}

const namesOf = (certificate: X509Certificate): string =>
  certificate.subjectAltName?.replaceAll('DNS:', '') ?? certificate.subject
