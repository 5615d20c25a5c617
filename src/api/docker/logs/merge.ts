import type { LogLine } from './log-line.ts'

/** Lines of hosts arrive at their own pace: so long is waited for an older one, while logs are followed. */
const reorderMs = 150

/** Several logs, each in order, as one in order. All of each must come to an end. */
export async function* mergeEnded(sources: readonly AsyncGenerator<LogLine>[]): AsyncGenerator<LogLine> {
  const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })))
  const open = heads.filter(({ next }) => next.done !== true)
  try {
    while (open.length > 0) {
      let first = 0
      for (const [index, { next }] of open.entries())
        if (timeOf(next) < timeOf(open[first]?.next)) first = index
      const head = open[first]
      if (head === undefined || head.next.done === true) return
      yield head.next.value
      head.next = await head.source.next()
      if (head.next.done === true) open.splice(first, 1)
    }
  } finally {
    await Promise.all(sources.map((source) => source.return(undefined)))
  }
}

const timeOf = (next: IteratorResult<LogLine> | undefined): string =>
  next === undefined || next.done === true ? '' : next.value.time

/** Logs that go on: what arrives within a moment is put in order. New ones may join with `add`. */
export class FollowedLogs {
  readonly #held: LogLine[] = []
  readonly #signal: AbortSignal
  #wake: (() => void) | undefined

  constructor(signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake?.(), { once: true })
  }

  add(source: AsyncGenerator<LogLine>): void {
    const read = async () => {
      for await (const line of source) {
        this.#held.push(line)
        this.#wake?.()
        // A reader that is slow slows the hosts.
        while (this.#held.length > mostHeld && !this.#signal.aborted) await pause(reorderMs)
      }
    }
    // A log that breaks off has said so in a line of its own.
    read().catch(() => undefined)
  }

  async *lines(): AsyncGenerator<LogLine> {
    while (!this.#signal.aborted) {
      if (this.#held.length === 0)
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      await pause(reorderMs)
      const ready = this.#held.splice(0).sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
      yield* ready
    }
  }
}

const mostHeld = 10_000

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
