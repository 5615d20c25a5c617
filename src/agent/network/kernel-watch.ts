import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'

const againMs = 2_000
/** One flush is many lines; and whoever flushes in a loop is followed no faster than this. */
const settleMs = 30
const atMostEveryMs = 1_000

/**
 * Hears what somebody changes in this kernel, line by line from a program that watches it, and calls once for many
 * lines that come together. It only makes repairs quicker: what it misses is found by comparing.
 */
class KernelWatch implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  readonly #parts: WatchParts
  #timer: NodeJS.Timeout | undefined
  #calledAt = -Infinity

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#running = this.#keep()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  async #keep(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#once().catch((error: unknown) => {
        if (!signal.aborted) this.#parts.logger.debug('the kernel is not watched for now', { error })
      })
      await sleep(againMs, signal).catch(() => undefined)
    }
  }

  async #once(): Promise<void> {
    const [file = '', ...args] = this.#parts.command
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'], signal: this.#stop.signal })
    const ended = once(child, 'close')
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (this.#parts.concerns(line)) this.#schedule()
    })
    await ended
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#stop.signal.aborted) return
    const sinceLast = performance.now() - this.#calledAt
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined
        this.#calledAt = performance.now()
        this.#parts.changed()
      },
      Math.max(settleMs, atMostEveryMs - sinceLast),
    )
  }
}

interface WatchParts {
  readonly command: readonly string[]
  /** Whether a line is about something of ours. */
  readonly concerns: (line: string) => boolean
  readonly changed: () => void
  readonly logger: Logger
}

/** What somebody takes away is heard at once. `table`: the name of ours. */
export function watchKernel(
  table: string,
  logger: Logger,
  heard: {
    readonly rulesLost: () => void
    readonly linkLost: () => void
    readonly linkIsBack: () => void
  },
): AsyncDisposable[] {
  const links = ['ip', '-oneline', 'monitor', 'link']
  return [
    new KernelWatch({
      command: ['nft', 'monitor'],
      concerns: (line) => isLossOfRules(line, table),
      changed: heard.rulesLost,
      logger,
    }),
    new KernelWatch({ command: links, concerns: isLossOfLink, changed: heard.linkLost, logger }),
    new KernelWatch({ command: links, concerns: isLinkBack, changed: heard.linkIsBack, logger }),
  ]
}

/**
 * Somebody has taken rules that our networks need away. Chains and elements of single ports and cables come and go by
 * our own doing all the time, and are left to the comparison.
 */
export function isLossOfRules(line: string, table: string): boolean {
  const [verb, what, , of, chain = ''] = line.split(' ')
  if (verb !== 'delete') return false
  if (of === table) return what === 'table' || (what === 'rule' && !/^[pc]_/.test(chain))
  return what === 'rule' && othersChains.has(`${of ?? ''} ${chain}`)
}

/** Where rules of ours stand in tables of others. */
const othersChains = new Set([
  'filter DOCKER-USER',
  'filter FORWARD',
  'filter INPUT',
  'firewalld filter_INPUT',
  'firewalld filter_FORWARD',
])

/** A link of this host can carry something again. Those of containers and networks come and go by themselves. */
export const isLinkBack = (line: string): boolean =>
  /^\d+: (?!mu[bxv]|lo:|veth|docker|br-)\S+: <(?![^>]*NO-CARRIER)[^>]*\bLOWER_UP\b/.test(line)

/** A device of ours was taken away. */
export const isLossOfLink = (line: string): boolean => /^Deleted \d+: mu[bx][0-9a-f]+:/.test(line)
