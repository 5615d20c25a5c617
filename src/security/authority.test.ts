import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import {
  createRequest,
  createRoot,
  crossSign,
  importRoot,
  issueNodeCertificate,
  issueStorePeer,
} from './authority.ts'
import { splitBundle } from './bundle.ts'
import { certificateFacts, verifyCertificate } from './certificate.ts'

const now = instant(Date.UTC(2026, 0, 1))
const dayMs = 24 * 3_600_000
const validity = { now, lifeMs: 90 * dayMs }
const subject = { nodeId: 'n1', clusterId: 'c1', role: 'manager' } as const
const invalid = (message: RegExp) => (error: unknown) =>
  isMureError(error, 'invalid') && message.test(error.message)

test('a node certificate says who its bearer is', async () => {
  const root = await createRoot(now)
  const { csr, key } = await createRequest()
  const certificate = await issueNodeCertificate(
    root,
    csr,
    { ...subject, addresses: ['10.0.0.1', 'fd00::1', 'manager01', 'n1'] },
    validity,
  )
  const parsed = new X509Certificate(certificate)
  assert.equal(parsed.subject, 'O=c1\nOU=swarm-manager\nCN=n1')
  assert.equal(
    parsed.subjectAltName,
    'DNS:swarm-manager, DNS:n1, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1, DNS:manager01',
  )
  assert.deepEqual(parsed.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  assert.equal(parsed.ca, false)
  assert.match(certificate, /^-----BEGIN CERTIFICATE-----\n/)
  assert.match(key, /^-----BEGIN PRIVATE KEY-----\n/)
  assert.equal(certificateFacts(certificate).notBefore, now - 3_600_000)
  assert.equal(certificateFacts(certificate).notAfter, now + 90 * dayMs)
})

test('a store peer certificate names its addresses and is no node', async () => {
  const root = await createRoot(now)
  const { csr } = await createRequest()
  const parsed = new X509Certificate(await issueStorePeer(root, csr, ['10.0.0.1', 'host'], validity))
  assert.equal(parsed.subject, 'CN=mure-store-peer')
  assert.equal(parsed.subjectAltName, 'IP Address:10.0.0.1, DNS:host')
  assert.equal(certificateFacts(parsed).role, undefined)
})

test('no certificate outlives its root', async () => {
  const root = await createRoot(now)
  const { csr } = await createRequest()
  const certificate = await issueNodeCertificate(root, csr, subject, { now, lifeMs: 30 * 365 * dayMs })
  assert.equal(
    new X509Certificate(certificate).validToDate.getTime(),
    new X509Certificate(root.certificate).validToDate.getTime(),
  )
})

test('a request must be signed by its own key', async () => {
  const root = await createRoot(now)
  const { csr } = await createRequest()
  const der = Buffer.from(csr.replace(/-----[^-]+-----/g, ''), 'base64')
  der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1)
  const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`
  await assert.rejects(
    issueNodeCertificate(root, forged, subject, validity),
    invalid(/own key|cannot be read/),
  )
  for (const bad of ['', 'nonsense', root.certificate, csr.slice(0, 200)])
    await assert.rejects(issueNodeCertificate(root, bad, subject, validity), invalid(/cannot be read/))
})

test('who trusts the old root alone accepts what the new one issues during a rotation, and the reverse', async () => {
  const old = await createRoot(now)
  const next = await createRoot(now)
  const crossSigned = await crossSign(old, next.certificate, now)
  const { csr } = await createRequest()
  const bundle = await issueNodeCertificate({ ...next, crossSigned }, csr, subject, validity)
  assert.equal(splitBundle(bundle).length, 2)
  assert.equal(certificateFacts(bundle).nodeId, 'n1')
  assert.equal(opensslVerify(old.certificate, bundle), 'OK')
  assert.equal(opensslVerify(next.certificate, bundle), 'OK')
  const stranger = await createRoot(now)
  assert.notEqual(opensslVerify(stranger.certificate, bundle), 'OK')
  const leaf = new X509Certificate(bundle)
  assert.deepEqual(verifyCertificate(leaf, next.certificate, now), { ok: true, expired: false })
})

test("a person's own root may be of any usual kind", async () => {
  const keys = [
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }),
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }),
  ].map(String)
  for (const key of keys) {
    const certificate = opensslRoot(key, 'O=Example, Inc./CN=their ca')
    const root = await importRoot(certificate, key, { now: instant(Date.now()) })
    const old = await createRoot(instant(Date.now()))
    const crossSigned = await crossSign(old, root.certificate, instant(Date.now()))
    const { csr } = await createRequest()
    const bundle = await issueNodeCertificate({ ...root, crossSigned }, csr, subject, {
      now: instant(Date.now()),
      lifeMs: dayMs,
    })
    assert.equal(opensslVerify(root.certificate, bundle), 'OK')
    assert.equal(opensslVerify(old.certificate, bundle), 'OK')
    // And back: the next root under theirs.
    const back = await crossSign(root, old.certificate, instant(Date.now()))
    const again = await issueNodeCertificate({ ...old, crossSigned: back }, csr, subject, {
      now: instant(Date.now()),
      lifeMs: dayMs,
    })
    assert.equal(opensslVerify(root.certificate, again), 'OK')
  }
})

test("a person's own root is refused with the reason", async () => {
  const root = await createRoot(now)
  const other = await createRoot(now)
  const { csr } = await createRequest()
  const leaf = await issueNodeCertificate(root, csr, subject, validity)
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey
  const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'x',
  })
  const cases: [string, string, RegExp][] = [
    [root.certificate, other.key, /key mismatch/],
    ['nonsense', root.key, /could not parse the desired CA certificate/],
    [root.certificate + other.certificate, root.key, /cannot contain multiple certificates/],
    [leaf, root.key, /not a CA/],
    [root.certificate, 'nonsense', /malformed private key/],
    [root.certificate, small.export({ type: 'pkcs8', format: 'pem' }).toString(), /unsupported RSA key/],
    [root.certificate, locked.toString(), /encrypted/],
  ]
  for (const [certificate, key, message] of cases)
    await assert.rejects(importRoot(certificate, key, { now }), invalid(message))
  const late = instant(now + 19.5 * 365 * dayMs)
  await assert.rejects(importRoot(root.certificate, root.key, { now: late }), invalid(/expires too soon/))
  await assert.rejects(
    importRoot(root.certificate, root.key, { now, current: root.certificate }),
    invalid(/identical key/),
  )
  const imported = await importRoot(root.certificate, root.key, { now, current: other.certificate })
  assert.deepEqual(imported, root)
})

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'mure-authority-'))
  try {
    return work(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What another implementation says of a chain: 'OK', or its complaint. */
function opensslVerify(root: string, bundle: string): string {
  return inFolder((folder) => {
    const [leaf = '', ...intermediates] = splitBundle(bundle)
    writeFileSync(join(folder, 'root'), root)
    writeFileSync(join(folder, 'leaf'), leaf)
    writeFileSync(join(folder, 'between'), intermediates.join(''))
    const at = [
      '-attime',
      String(Math.floor(new X509Certificate(leaf).validFromDate.getTime() / 1000) + 7200),
    ]
    try {
      execFileSync(
        'openssl',
        ['verify', ...at, '-x509_strict', '-CAfile', 'root', '-untrusted', 'between', 'leaf'],
        { cwd: folder, stdio: 'pipe' },
      )
      return 'OK'
    } catch (error) {
      return String(error)
    }
  })
}

function opensslRoot(key: string, name: string): string {
  return inFolder((folder) => {
    writeFileSync(join(folder, 'key'), key)
    return execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-new',
        '-key',
        'key',
        '-days',
        '3650',
        '-subj',
        `/${name}`,
        '-addext',
        'keyUsage=critical,keyCertSign,cRLSign',
      ],
      { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    ).toString()
  })
}
