import type { Writable } from 'node:stream'

/** A viewer for whom more than this waits, or who has read nothing for so long, is let go. */
const mostPendingBytes = 16 * 1024 * 1024
const stalledMs = 15_000
/** Proxies close what is silent, and a browser notices a dead connection by it. */
const aliveEveryMs = 15_000

type Sink = Pick<Writable, 'write' | 'destroy' | 'writableLength' | 'once'>

/** One page that watches, by server-sent events. */
export class Viewer implements Disposable {
  readonly #sink: Sink
  readonly #alive: NodeJS.Timeout
  #pendingSince: number | undefined

  constructor(sink: Sink) {
    this.#sink = sink
    this.#alive = setInterval(() => {
      if (!this.#isStuck(performance.now())) this.#write(': alive\n\n')
    }, aliveEveryMs)
    this.#alive.unref()
  }

  /** `text` is JSON, so it has no line feed of its own. False: the viewer was let go. */
  send(text: string, revision: number | undefined): boolean {
    if (this.#isStuck(performance.now())) return false
    this.#write(`${revision === undefined ? '' : `id: ${String(revision)}\n`}data: ${text}\n\n`)
    return true
  }

  end(): void {
    this.#sink.destroy()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#alive)
  }

  #write(text: string): void {
    if (this.#sink.write(text) || this.#pendingSince !== undefined) return
    this.#pendingSince = performance.now()
    this.#sink.once('drain', () => {
      this.#pendingSince = undefined
    })
  }

  /** The page comes back by itself, and says what it has heard. */
  #isStuck(now: number): boolean {
    if (this.#pendingSince === undefined) return false
    if (now - this.#pendingSince <= stalledMs && this.#sink.writableLength <= mostPendingBytes) return false
    this.end()
    return true
  }
}
