import { MureError } from '#lib/errors.ts'

/** A full set of assignments of a busy node is some megabytes; beyond this a frame is a mistake or an attack. */
export const maxFrameBytes = 64 * 1024 * 1024

/** One message: a 4-byte big-endian length and that much JSON. */
export function encodeFrame(message: unknown): Buffer {
  const body = Buffer.from(JSON.stringify(message))
  if (body.length > maxFrameBytes)
    throw new MureError('internal', `a message of ${String(body.length)} bytes is too large`)
  const head = Buffer.allocUnsafe(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

/** Cuts a stream of bytes into messages, wherever the chunks break. */
export class FrameDecoder {
  #chunks: Buffer[] = []
  #bytes = 0

  /** The messages that are whole now. Throws `invalid` for what cannot be one. */
  push(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    const messages: unknown[] = []
    for (;;) {
      if (this.#bytes < 4) return messages
      const length = this.#head().readUInt32BE(0)
      if (length > maxFrameBytes)
        throw new MureError('invalid', `a frame of ${String(length)} bytes is too large`)
      if (this.#bytes < 4 + length) return messages
      const all = this.#chunks.length === 1 ? this.#head() : Buffer.concat(this.#chunks)
      messages.push(parse(all.subarray(4, 4 + length)))
      const rest = all.subarray(4 + length)
      this.#chunks = rest.length > 0 ? [rest] : []
      this.#bytes = rest.length
    }
  }

  #head(): Buffer {
    let first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length < 4 && this.#chunks.length > 1) {
      first = Buffer.concat(this.#chunks)
      this.#chunks = [first]
    }
    return first
  }
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString())
  } catch (error) {
    throw new MureError('invalid', 'a frame does not hold JSON', { cause: error })
  }
}
