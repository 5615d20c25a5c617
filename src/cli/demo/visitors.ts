import { get } from 'node:http'
import { sleep } from '#lib/wait.ts'

export interface Tally {
  answered: number
  failed: number
  slowestMs: number
}

const answerTimeoutMs = 30_000
const pauseMs = 20

/** People who ask for a page over and over, each on a connection of its own, until they are disposed of. */
export class Visitors implements AsyncDisposable {
  readonly tally: Tally = { answered: 0, failed: 0, slowestMs: 0 }
  readonly #stop = new AbortController()
  readonly #loops: readonly Promise<void>[]

  constructor(url: string, count: number) {
    this.#loops = Array.from({ length: count }, () => this.#visit(url))
  }

  /** Ends when those who still wait for an answer have it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#loops)
  }

  async #visit(url: string): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const started = performance.now()
      if ((await statusOf(url)) === 200) this.tally.answered += 1
      else this.tally.failed += 1
      this.tally.slowestMs = Math.max(this.tally.slowestMs, performance.now() - started)
      await sleep(pauseMs, signal).catch(() => undefined)
    }
  }
}

/** Undefined: there was none. */
export function statusOf(url: string): Promise<number | undefined> {
  return pageOf(url).then(
    ({ status }) => status,
    () => undefined,
  )
}

export function pageOf(url: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: answerTimeoutMs }, (response) => {
      response.toArray().then((chunks) => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks as Buffer[]).toString() })
      }, reject)
    })
    request.once('timeout', () => request.destroy(new Error('no answer came')))
    request.once('error', reject)
  })
}
