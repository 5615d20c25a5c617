import { exportKey, newKeyPair, ownAlgorithm } from './keys.ts'
import { x509 } from './x509.ts'

/** A key, and the request for a certificate of a host name over it: DER, and PEM for the key. */
export async function createHostRequest(
  host: string,
): Promise<{ readonly csr: Buffer; readonly key: string }> {
  const keys = await newKeyPair()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ownAlgorithm,
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }])],
  })
  return { csr: Buffer.from(request.rawData), key: await exportKey(keys.privateKey) }
}
