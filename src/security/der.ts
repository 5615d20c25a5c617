import { MureError } from '#lib/errors.ts'

/** One value of DER: where its content begins, and where the next value does. */
interface Element {
  readonly tag: number
  readonly start: number
  readonly content: number
  readonly end: number
}

/** @see ITU-T X.690, 8.1 */
function elementAt(der: Buffer, start: number): Element {
  const first = der[start + 1]
  if (first === undefined) throw new MureError('invalid', 'the certificate is cut off')
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  const length = lengthBytes === 0 ? first : der.readUIntBE(start + 2, lengthBytes)
  const content = start + 2 + lengthBytes
  return { tag: der[start] ?? 0, start, content, end: content + length }
}

const explicitVersion = 0xa0
/** Serial number, signature, issuer, validity: what stands before the subject. */
const beforeSubject = 4

/**
 * A certificate's subject as it is in it, DER: what Swarm compares issuers by.
 * @see RFC 5280, 4.1
 */
export function subjectOf(certificate: Buffer): Buffer {
  const tbs = elementAt(certificate, elementAt(certificate, 0).content)
  let element = elementAt(certificate, tbs.content)
  if (element.tag === explicitVersion) element = elementAt(certificate, element.end)
  for (let skipped = 0; skipped < beforeSubject; skipped++) element = elementAt(certificate, element.end)
  return certificate.subarray(element.start, element.end)
}
