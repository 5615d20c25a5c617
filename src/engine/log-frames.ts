import { MureError } from '#lib/errors.ts'

export interface LogFrame {
  readonly stream: 'stdin' | 'stdout' | 'stderr'
  readonly data: Buffer
}

const streams = ['stdin', 'stdout', 'stderr'] as const
const headBytes = 8

/**
 * The frames of a container without a terminal: one byte for the stream, three zeros, four of length (big endian).
 * @see https://docs.docker.com/reference/api/engine/ "Stream format" of attach
 */
export async function* logFrames(chunks: AsyncIterable<Buffer>): AsyncGenerator<LogFrame> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= headBytes) {
      const end = headBytes + rest.readUInt32BE(4)
      if (rest.length < end) break
      const stream = streams[rest[0] ?? 3]
      if (stream === undefined)
        throw new MureError('internal', 'the engine sent a log frame of no known stream')
      yield { stream, data: rest.subarray(headBytes, end) }
      rest = rest.subarray(end)
    }
  }
}
