import type { Duplex } from 'node:stream'
import { isMureError } from '#lib/errors.ts'
import type { Frame } from './framing.ts'
import { encodeFrame, FrameDecoder } from './framing.ts'
import type { MessageStream, Peer } from './transport.ts'
import { isWireError, ofWire } from './wire-error.ts'
import type { WireError } from './wire-error.ts'

/** A peer that does not take the last of what was said within this time will not. */
const closeTimeoutMs = 1_000

/** Why a stream ends, in its last frame: one of the two. */
interface EndNote {
  readonly reason?: unknown
  readonly error?: unknown
}

/** Messages over any byte stream. */
export class FramedMessageStream<In, Out> implements MessageStream<In, Out> {
  readonly peer: Peer | undefined
  readonly #bytes: Duplex
  readonly #ended = new AbortController()
  readonly #decoder = new FrameDecoder()
  readonly #received: Frame[] = []
  #closing = false
  #closeReason: string | undefined

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

  get closeReason(): string | undefined {
    return this.#closeReason
  }

  send(message: Out): void {
    if (this.#bytes.writable && !this.#closing) this.#bytes.write(encodeFrame(message))
  }

  close(reason?: string): void {
    this.#end(reason === undefined ? undefined : { reason })
  }

  /** The other end's iteration throws this. */
  fail(error: WireError): void {
    this.#end({ error })
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<In> {
    try {
      for (;;) {
        for (let frame = this.#received.shift(); frame !== undefined; frame = this.#received.shift()) {
          if (frame.isEnd) {
            this.#hearEnd(frame.content ?? {})
            return
          }
          yield frame.content as In
        }
        const chunk = await this.#read()
        if (chunk === undefined) break
        for (const frame of this.#decoder.push(chunk)) this.#received.push(frame)
      }
    } catch (error) {
      // After a frame that cannot be read nothing can be: whoever sent it is told, and the stream ends.
      if (isMureError(error, 'invalid')) this.fail({ code: error.code, message: error.message })
      throw error
    }
    this.close()
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

  #hearEnd({ reason, error }: EndNote): void {
    this.close()
    if (isWireError(error)) throw ofWire(error)
    if (typeof reason === 'string') this.#closeReason = reason
  }

  #end(note: EndNote | undefined): void {
    if (this.#closing || this.#bytes.destroyed) return
    this.#closing = true
    if (note !== undefined && this.#bytes.writable) this.#bytes.write(encodeFrame(note, { isEnd: true }))
    this.#bytes.end()
    const timer = setTimeout(() => {
      this.#bytes.destroy()
    }, closeTimeoutMs)
    this.#bytes.once('close', () => {
      clearTimeout(timer)
    })
    // The stream is over when both ends have ended it and all is read, so read on if nobody does.
    if (this.#bytes.listenerCount('readable') === 0) this.#bytes.resume()
  }

  /** The next bytes; undefined at the end. A connection that breaks is an ordinary end of a session. */
  #read(): Promise<Buffer | undefined> {
    const bytes = this.#bytes
    return new Promise((resolve) => {
      const settle = () => {
        const chunk = bytes.destroyed ? null : (bytes.read() as Buffer | null)
        if (chunk === null && !bytes.destroyed && !bytes.readableEnded) return
        bytes.off('readable', settle).off('end', settle).off('close', settle)
        resolve(chunk ?? undefined)
      }
      bytes.on('readable', settle).on('end', settle).on('close', settle)
      settle()
    })
  }
}
