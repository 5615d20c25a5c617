import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { isMureError, MureError } from '#lib/errors.ts'
import type { NodeKeys } from './key-file.ts'
import { newKey } from './seal.ts'

// A backup is one line of JSON, the head, and after it AES-256-GCM ciphertext with its tag at the end. What is sealed
// is one line of JSON, the secrets, and after it the store's snapshot. The head is authenticated along.

const format = 'mure-backup'
const version = 1
const nonceBytes = 12
const tagBytes = 16
const maxLineBytes = 64 * 1024

/** What may be known of a backup without opening it. */
export interface BackupHead {
  readonly clusterId: string
  readonly createdAt: string
  /** host:port of the manager that made it. */
  readonly advertiseAddress: string
  /** Sealed with the cluster's unlock key; otherwise its key is in it, and it must be kept like a key. */
  readonly isLocked: boolean
}

export interface BackupSecrets {
  readonly dataKeys: NonNullable<NodeKeys['dataKeys']>
}

interface HeadLine extends BackupHead {
  readonly format: string
  readonly version: number
  readonly nonce: string
  readonly key?: string
}

/** The bytes of a backup, chunk by chunk. `unlockKey`: the cluster's, while its managers are locked. */
export async function* sealBackup(
  head: Omit<BackupHead, 'isLocked'>,
  secrets: BackupSecrets,
  snapshot: AsyncIterable<Buffer>,
  unlockKey: Buffer | undefined,
): AsyncGenerator<Buffer> {
  const nonce = randomBytes(nonceBytes)
  const key = unlockKey ?? newKey()
  const line: HeadLine = {
    format,
    version,
    ...head,
    isLocked: unlockKey !== undefined,
    nonce: nonce.toString('base64'),
    ...(unlockKey === undefined ? { key: key.toString('base64') } : {}),
  }
  const text = Buffer.from(`${JSON.stringify(line)}\n`)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(text)
  yield text
  yield cipher.update(`${JSON.stringify(secrets)}\n`)
  for await (const chunk of snapshot) yield cipher.update(chunk)
  yield Buffer.concat([cipher.final(), cipher.getAuthTag()])
}

/**
 * Reads a backup and writes the snapshot in it to `snapshotPath`. `invalid`: it is no backup, or damaged;
 * `precondition`: it needs an unlock key (`details.locked`), or another than this.
 */
export async function openBackup(
  source: AsyncIterable<Buffer>,
  snapshotPath: string,
  unlockKey: Buffer | undefined,
): Promise<{ head: BackupHead; secrets: BackupSecrets }> {
  const bytes = source[Symbol.asyncIterator]()
  const { line, rest } = await readLine(bytes)
  const head = parseHead(line)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(head, unlockKey), Buffer.from(head.nonce, 'base64'))
  decipher.setAAD(Buffer.from(`${line}\n`))
  const plain = decrypted(bytes, rest, decipher)
  try {
    const first = await readLine(plain)
    const file = createWriteStream(snapshotPath, { mode: 0o600 })
    await pipeline(prepend(first.rest, plain), file)
    if (!file.closed) await once(file, 'close')
    return { head, secrets: JSON.parse(first.line) as BackupSecrets }
  } catch (error) {
    if (isMureError(error)) throw error
    throw head.isLocked
      ? new MureError(
          'precondition',
          'the backup does not open: it is damaged, or this is not its unlock key',
          {
            cause: error,
          },
        )
      : new MureError('invalid', 'the backup is damaged', { cause: error })
  }
}

function keyOf(head: HeadLine, unlockKey: Buffer | undefined): Buffer {
  if (!head.isLocked) return Buffer.from(head.key ?? '', 'base64')
  if (unlockKey !== undefined) return unlockKey
  throw new MureError('precondition', 'the backup is locked: give the unlock key of its swarm', {
    details: { locked: true },
  })
}

function parseHead(line: string): HeadLine {
  let head: Partial<HeadLine>
  try {
    head = JSON.parse(line) as Partial<HeadLine>
  } catch (error) {
    throw new MureError('invalid', 'this is not a backup of a swarm', { cause: error })
  }
  if (head.format !== format) throw new MureError('invalid', 'this is not a backup of a swarm')
  if (head.version !== version)
    throw new MureError(
      'unsupported',
      `this backup is of version ${String(head.version)}; ${String(version)} is known`,
    )
  return head as HeadLine
}

/** What follows the line feed comes back, to be read before what `bytes` still has. */
async function readLine(bytes: AsyncIterator<Buffer>): Promise<{ line: string; rest: Buffer }> {
  let read = Buffer.alloc(0)
  for (;;) {
    const end = read.indexOf(0x0a)
    if (end >= 0) return { line: read.subarray(0, end).toString(), rest: read.subarray(end + 1) }
    const next = await bytes.next()
    if (next.done === true || read.length > maxLineBytes)
      throw new MureError('invalid', 'this is not a backup of a swarm, or it is cut off')
    read = Buffer.concat([read, next.value])
  }
}

/** All but the last bytes of the source, which are the tag; the end is reached only if it is the right one. */
async function* decrypted(
  bytes: AsyncIterator<Buffer>,
  first: Buffer,
  decipher: ReturnType<typeof createDecipheriv> & { setAuthTag(tag: Buffer): unknown },
): AsyncGenerator<Buffer> {
  let held = first
  for (;;) {
    if (held.length > tagBytes) {
      const ready = held.subarray(0, held.length - tagBytes)
      held = held.subarray(held.length - tagBytes)
      yield decipher.update(ready)
    }
    const next = await bytes.next()
    if (next.done === true) break
    held = Buffer.concat([held, next.value])
  }
  decipher.setAuthTag(held)
  yield decipher.final()
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield first
  yield* rest
}
