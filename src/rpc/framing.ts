import { MureError } from '#lib/errors.ts'

/** A full set of assignments of a busy node is some megabytes; beyond this a frame is a mistake or an attack. */
export const maxFrameBytes = 64 * 1024 * 1024

const headBytes = 4
/** Set in the length of a stream's last frame, which says why it ends instead of carrying a message. */
const endFlag = 0x8000_0000

export interface Frame {
  readonly content: unknown
  readonly isEnd: boolean
}

/** One message: a 4-byte big-endian length and that much JSON. `invalid` for what cannot be sent. */
export function encodeFrame(content: unknown, options: { readonly isEnd?: boolean } = {}): Buffer {
  // undefined and functions have no JSON, whatever the types say.
  const json = JSON.stringify(content) as string | undefined
  if (json === undefined) throw new MureError('invalid', 'a message must be JSON')
  const length = Buffer.byteLength(json)
  if (length > maxFrameBytes)
    throw new MureError(
      'invalid',
      `a message of ${String(length)} bytes is larger than ${String(maxFrameBytes)}`,
    )
  const frame = Buffer.allocUnsafe(headBytes + length)
  frame.writeUInt32BE(options.isEnd === true ? length + endFlag : length)
  frame.write(json, headBytes)
  return frame
}

/**
 * Cuts a stream of bytes into messages, wherever the chunks break. Memory follows the bytes that have come, not the
 * length that a head claims, and a frame that comes byte by byte costs no more than one that comes at once.
 */
export class FrameDecoder {
  #kept = Buffer.alloc(0)
  #length = 0

  /** The messages that are whole now. Throws `invalid` for what cannot be one: nothing after it can be trusted. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let bytes = this.#length === 0 ? chunk : this.#keep(chunk)
    for (;;) {
      const size = sizeOf(bytes)
      if (size === undefined || bytes.length < size.total) break
      frames.push({ content: parse(bytes.subarray(headBytes, size.total)), isEnd: size.isEnd })
      bytes = bytes.subarray(size.total)
    }
    this.#replace(bytes)
    return frames
  }

  /** Appends to what is kept, in a buffer that doubles. */
  #keep(chunk: Buffer): Buffer {
    const needed = this.#length + chunk.length
    if (needed > this.#kept.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#kept.length * 2))
      this.#kept.copy(larger, 0, 0, this.#length)
      this.#kept = larger
    }
    chunk.copy(this.#kept, this.#length)
    this.#length = needed
    return this.#kept.subarray(0, needed)
  }

  #replace(rest: Buffer): void {
    if (rest.length === 0) {
      this.#kept = Buffer.alloc(0)
      this.#length = 0
    } else if (rest.buffer !== this.#kept.buffer || rest.byteOffset !== this.#kept.byteOffset) {
      // A copy: a few bytes must not hold on to a large chunk.
      this.#kept = Buffer.from(rest)
      this.#length = rest.length
    }
  }
}

function sizeOf(bytes: Buffer): { readonly total: number; readonly isEnd: boolean } | undefined {
  if (bytes.length < headBytes) return undefined
  const head = bytes.readUInt32BE(0)
  const isEnd = head >= endFlag
  const length = isEnd ? head - endFlag : head
  if (length > maxFrameBytes)
    throw new MureError('invalid', `a frame of ${String(length)} bytes is too large`)
  return { total: headBytes + length, isEnd }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    throw new MureError('invalid', 'a frame does not hold JSON', { cause: error })
  }
}
