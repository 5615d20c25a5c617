import type { Duplex } from 'node:stream'
import type { MessageStream, Peer } from './transport.ts'
import { encodeFrame, FrameDecoder } from './framing.ts'

/** Messages over any byte stream. A malformed frame closes it: what follows could not be trusted. */
export class FramedMessageStream<In, Out> implements MessageStream<In, Out> {
  readonly peer: Peer | undefined
  readonly #bytes: Duplex
  readonly #ended = new AbortController()

  constructor(bytes: Duplex, peer: Peer | undefined) {
    this.#bytes = bytes
    this.peer = peer
    // The reason of an end is seen by whoever iterates; here it must only not be an unheard 'error'.
    bytes.on('error', () => undefined)
    bytes.once('close', () => {
      this.#ended.abort()
    })
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  get pendingBytes(): number {
    return this.#bytes.writableLength
  }

  send(message: Out): void {
    if (this.#bytes.writable) this.#bytes.write(encodeFrame(message))
  }

  close(_reason?: string): void {
    if (this.#bytes.destroyed) return
    this.#bytes.end()
    // A peer that never reads must not keep the stream for ever.
    const timer = setTimeout(() => {
      this.#bytes.destroy()
    }, 1_000)
    this.#bytes.once('close', () => {
      clearTimeout(timer)
    })
    this.#bytes.resume()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<In> {
    const decoder = new FrameDecoder()
    try {
      for await (const chunk of this.#bytes as AsyncIterable<Buffer>)
        for (const message of decoder.push(chunk)) yield message as In
    } catch (error) {
      // A connection that breaks is an ordinary end of a session; a frame that cannot be read is not.
      if (error instanceof Error && error.name === 'MureError') throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#bytes.destroy()
    if (!this.#bytes.closed)
      await new Promise<void>((resolve) =>
        this.#bytes.once('close', () => {
          resolve()
        }),
      )
  }
}
