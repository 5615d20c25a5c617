import { MureError } from '#lib/errors.ts'

const block = 512

/** One entry of an archive: its header blocks as they were, and how many bytes of body follow, padding included. */
export interface TarEntry {
  readonly name: string
  readonly isFile: boolean
  readonly header: Buffer
  readonly bytes: number
  readonly paddedBytes: number
}

/** A piece of an archive, in order: the beginning of an entry, bytes of its body, or what is after the last entry. */
export type TarPart =
  | { readonly type: 'entry'; readonly entry: TarEntry }
  | { readonly type: 'body'; readonly bytes: Buffer }
  | { readonly type: 'rest'; readonly bytes: Buffer }

/**
 * Cuts a stream of tar into its entries. All parts together are the archive, byte by byte.
 * @see https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13
 */
export async function* tarParts(archive: AsyncIterable<Buffer>): AsyncGenerator<TarPart> {
  let pending: Buffer = Buffer.alloc(0)
  let bodyLeft = 0
  let isOver = false
  for await (const chunk of archive) {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    while (pending.length > 0) {
      if (isOver) {
        yield { type: 'rest', bytes: pending }
        pending = Buffer.alloc(0)
      } else if (bodyLeft > 0) {
        const bytes = pending.subarray(0, bodyLeft)
        bodyLeft -= bytes.length
        pending = pending.subarray(bytes.length)
        yield { type: 'body', bytes }
      } else {
        if (pending.length < block) break
        const header = pending.subarray(0, block)
        if (header.every((byte) => byte === 0)) {
          isOver = true
          continue
        }
        const entry = readHeader(header)
        pending = pending.subarray(block)
        bodyLeft = entry.paddedBytes
        yield { type: 'entry', entry }
      }
    }
  }
  if (pending.length > 0 || bodyLeft > 0)
    throw new MureError('unavailable', 'the archive of the image broke off')
}

function readHeader(header: Buffer): TarEntry {
  const type = String.fromCharCode(header[156] ?? 0)
  const prefix = text(header, 345, 155)
  const name = text(header, 0, 100)
  const bytes = sizeOf(header)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    isFile: type === '0' || type === '\0',
    header: Buffer.from(header),
    bytes,
    paddedBytes: Math.ceil(bytes / block) * block,
  }
}

/** Octal digits; or, for what is larger than they can say, a binary number that is marked by the first bit. */
function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136)
  if (((field[0] ?? 0) & 0x80) !== 0) return Number(field.readBigUInt64BE(4))
  const digits = text(header, 124, 12).trim()
  if (!/^[0-7]*$/.test(digits)) throw new MureError('invalid', 'this is no tar archive')
  return digits === '' ? 0 : Number.parseInt(digits, 8)
}

function text(header: Buffer, start: number, length: number): string {
  const field = header.subarray(start, start + length)
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? length : end).toString()
}
