import type { Http2Stream } from 'node:http2'
import { constants } from 'node:http2'
import { Duplex } from 'node:stream'
import { MureError } from '#lib/errors.ts'

const bufferBytes = 256 * 1024

/**
 * A byte stream whose end can be believed. Node gives an HTTP/2 stream an ordinary 'end' also when the connection
 * breaks after this side was closed, and when the other side cancels it: what was read up to there would look whole.
 * Here the end is an end only when the peer has said so, and everything else is an error on both sides.
 */
export class RawStream extends Duplex {
  readonly #stream: Http2Stream
  readonly #lost: () => MureError
  #onFirstUse: (() => void) | undefined
  #isRead = false

  /** `peer`: who is at the other end, for messages. `onFirstUse`: before the first byte is read or written. */
  constructor(stream: Http2Stream, peer: string, onFirstUse?: () => void) {
    super({ readableHighWaterMark: bufferBytes, writableHighWaterMark: bufferBytes })
    this.#stream = stream
    this.#onFirstUse = onFirstUse
    this.#lost = () => new MureError('unavailable', `the stream to ${peer} broke off`)
    // Whoever holds the stream may have no listener yet, or none any more.
    this.on('error', () => undefined)
    stream.on('error', () => undefined)
    stream.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) stream.pause()
    })
    stream.once('end', () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return
      this.#isRead = true
      this.push(null)
    })
    if (stream.destroyed) this.destroy(this.#lost())
    stream.once('close', () => {
      const isWhole = stream.rstCode === constants.NGHTTP2_NO_ERROR && this.#isRead
      if (!isWhole) this.destroy(this.#lost())
    })
  }

  override _read(): void {
    this.#used()
    this.#stream.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#used()
    if (!this.#stream.writable) {
      done(this.#lost())
      return
    }
    this.#stream.write(chunk, (error) => {
      done(error === null || error === undefined ? null : this.#lost())
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#used()
    if (this.#stream.writable) this.#stream.end(done)
    else done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const stream = this.#stream
    if (!stream.destroyed) {
      // The code of the reset tells the other side: all that it was to get, it got, or not.
      if (this.writableFinished) {
        stream.close(constants.NGHTTP2_NO_ERROR)
        stream.resume()
      } else stream.destroy(error ?? this.#lost())
    }
    done(error)
  }

  #used(): void {
    const onFirstUse = this.#onFirstUse
    this.#onFirstUse = undefined
    onFirstUse?.()
  }
}
