import type { Duplex } from 'node:stream'
import { MureError } from '#lib/errors.ts'

const longestLine = 1024 * 1024

/** JSON lines, and then plain bytes, of one stream. */
export class LineReader {
  readonly #source: AsyncIterator<Buffer>
  #pending: Buffer = Buffer.alloc(0)

  constructor(stream: Duplex) {
    // Its other direction may go on when this one has ended.
    this.#source = stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>
  }

  async line<T>(): Promise<T> {
    for (;;) {
      const end = this.#pending.indexOf('\n')
      if (end >= 0) {
        const text = this.#pending.subarray(0, end).toString()
        this.#pending = this.#pending.subarray(end + 1)
        return JSON.parse(text) as T
      }
      const next = await this.#source.next()
      if (next.done === true) throw new MureError('unavailable', 'the other node ended the exchange')
      this.#pending = Buffer.concat([this.#pending, next.value])
      if (this.#pending.length > longestLine) throw new MureError('invalid', 'the other node sent no line')
    }
  }

  /** What follows the lines that were read. */
  async *rest(): AsyncGenerator<Buffer> {
    if (this.#pending.length > 0) yield this.#pending
    this.#pending = Buffer.alloc(0)
    for (;;) {
      const next = await this.#source.next()
      if (next.done === true) return
      yield next.value
    }
  }
}

export function writeLine(stream: Duplex, value: unknown): void {
  stream.write(`${JSON.stringify(value)}\n`)
}
