import type { Clock } from '#lib/clock.ts'
import { errorText, isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { backoffMs } from '#lib/retry.ts'
import { sleep } from '#lib/wait.ts'
import { connectRpc } from '#rpc/client.ts'
import type { Identity, RpcClient } from '#rpc/transport.ts'
import { connectAny } from './connect-any.ts'
import type { ManagerList } from './managers.ts'

export interface SessionLoopOptions {
  readonly managers: ManagerList
  readonly identity: () => Identity
  /** Where a manager of that address is dialled. */
  readonly dialledAt: (address: string) => string
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Runs one session until it ends. */
  run(client: RpcClient, signal: AbortSignal): Promise<void>
  /** A manager knows us, and our certificate's time is over. */
  expired(): void
}

/** The first attempt after a loss comes at once: another manager is usually at hand. */
const backoff = { firstMs: 100, maxMs: 2_000 }
/**
 * Where nobody answered, nobody is spared by waiting longer, and a link that heals is noticed by the next attempt alone:
 * not every loss is seen by this host's own kernel.
 */
const unansweredBackoff = { firstMs: 100, maxMs: 500 }
/** A session that lasted so long was a good one. */
const goodSessionMs = 5_000
const connecting = { staggerMs: 300, timeoutMs: 3_000 }

/** Keeps one session with some manager, always. */
export class SessionLoop implements AsyncDisposable {
  readonly #options: SessionLoopOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #session: AbortController | undefined
  #isRenewed = false
  /** A manager has taken the present attempt. */
  #isAnswered = false

  constructor(options: SessionLoopOptions) {
    this.#options = options
    this.#running = this.#keep()
  }

  /** Ends the session and begins another at once, with the present identity. */
  renew(): void {
    this.#isRenewed = true
    this.#session?.abort()
  }

  /** No session from now on. */
  end(): void {
    this.#stop.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.#running
  }

  async #keep(): Promise<void> {
    const { clock, random, logger } = this.#options
    const { signal } = this.#stop
    let failed: string | undefined
    for (let failures = 0; !signal.aborted;) {
      const began = clock.monotonicMs()
      let pause = backoff
      try {
        failed = await this.#one(failed)
      } catch (error) {
        if (isMureError(error, 'unauthenticated') && error.details?.['expired'] === true)
          this.#options.expired()
        if (!this.#isAnswered && isMureError(error, 'unavailable')) pause = unansweredBackoff
        if (!signal.aborted) logger.debug('no session', { error: errorText(error) })
      }
      failures = this.#isRenewed || clock.monotonicMs() - began > goodSessionMs ? 0 : failures + 1
      this.#isRenewed = false
      if (failures > 0) await sleep(backoffMs(pause, failures - 1, random), signal).catch(() => undefined)
    }
  }

  /** Connects and runs one session. Answers with the manager it was with, which has lost us. */
  async #one(failed: string | undefined): Promise<string> {
    const { managers, random, identity, dialledAt, clock } = this.#options
    const ended = new AbortController()
    this.#session = ended
    const signal = AbortSignal.any([this.#stop.signal, ended.signal])
    const own = identity()
    this.#isAnswered = false
    const addresses = managers.inTurn(random, failed)
    await using client = await connectAny(addresses, {
      ...connecting,
      signal,
      connect: (address, wait) =>
        connectRpc(dialledAt(address), { identity: own, trust: own.trust, clock }, wait),
    })
    this.#isAnswered = true
    await this.#options.run(client, signal)
    return addresses.find((address) => dialledAt(address) === client.address) ?? client.address
  }
}
