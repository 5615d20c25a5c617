import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { errorText } from '#lib/errors.ts'

/** The PEM files of a folder that HAProxy can listen with, and what is wrong with the others. */
export interface Certificates {
  readonly files: readonly string[]
  readonly problems: readonly string[]
  /** Differs when a file has changed. */
  readonly mark: string
}

export const noCertificates: Certificates = { files: [], problems: [], mark: '' }

/** Each file holds a certificate, its chain and its key; or its key lies beside it with `.key` added to the name. */
export async function readCertificateFolder(folder: string | undefined, now: number): Promise<Certificates> {
  if (folder === undefined) return noCertificates
  const files: string[] = []
  const problems: string[] = []
  const marks: string[] = []
  try {
    for (const name of (await readdir(folder)).sort()) {
      // As of HAProxy itself: `a.pem.key`, `a.pem.ocsp` and their like belong to `a.pem`.
      if (!/\.(pem|crt)$/.test(name) || /[\s#"'\\[\]]/.test(name)) continue
      const file = join(folder, name)
      const problem = await problemOf(file, now)
      if (problem === undefined) files.push(file)
      else problems.push(`certificate ${file}: ${problem}`)
      const { mtimeMs, size } = await stat(file)
      marks.push(`${name} ${String(mtimeMs)} ${String(size)} ${problem ?? ''}`)
    }
  } catch (error) {
    problems.push(`the folder of certificates cannot be read: ${errorText(error)}`)
  }
  return { files, problems, mark: [...marks, ...problems].join('\n') }
}

async function problemOf(file: string, now: number): Promise<string | undefined> {
  try {
    const pem = await readFile(file, 'utf8')
    const certificate = new X509Certificate(pem)
    const key = pem.includes('PRIVATE KEY') ? pem : await readFile(`${file}.key`, 'utf8')
    if (!certificate.checkPrivateKey(createPrivateKey(key))) return 'its key is of another certificate'
    if (Date.parse(certificate.validTo) < now) return `it expired on ${certificate.validTo}`
    return undefined
  } catch (error) {
    return errorText(error)
  }
}
