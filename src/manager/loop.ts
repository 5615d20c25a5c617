import { setImmediate } from 'node:timers/promises'
import type { Clock, Instant } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Change } from '#model/change.ts'
import type { Leadership, Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { Agenda } from './agenda.ts'
import { PipelineState } from './pipeline-state.ts'
import { planTurn } from './turn.ts'

export interface LoopParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly leadership: Leadership
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Changes in one transaction: enough that a burst costs few fsyncs. */
const mostChanges = 2_000
/** A transaction that meets others' writes is cut smaller, so that most of it gets through. */
const fewestChanges = 50
/** Transactions of a turn that are under way together: while the store keeps one, the next is sealed. */
const atOnce = 2
const writeTimeoutMs = 10_000
const retryAfterMs = 200

/**
 * The leader's pipeline: services that something happened to are looked at again, their tasks are made, allocated
 * and scheduled in one turn, and each turn is written before the next begins. Ends when the leadership does; anything
 * but the store's refusals and silences is a defect, and rejects.
 */
export async function runPipeline(parts: LoopParts): Promise<void> {
  const { mirror, leadership, clock, logger } = parts
  const writer = new TurnWriter(parts)
  // What the leader before wrote last must be known, or it would be done twice.
  await writer.catchUp()
  const agenda = new Agenda(mirror)
  const state = new PipelineState(mirror)
  const bell = new Bell()
  using _subscription = mirror.subscribe((events) => {
    state.hear(events)
    agenda.hear(events, mirror)
    bell.ring()
  })
  using _stop = onAbort(leadership.signal, () => {
    bell.ring()
  })
  while (!leadership.signal.aborted) {
    const now = clock.now()
    const work = agenda.take(now, mirror)
    if (work === undefined) {
      await bell.rung(msUntil(agenda.nextAt(), now))
      continue
    }
    const turn = planTurn(mirror, work, state, { now, random: parts.random })
    agenda.note(turn)
    for (const { kind, id, text } of turn.because) logger.debug(text, { kind, id })
    if (turn.changes.length === 0) {
      // Nothing to wait for, but others are to be heard between two turns.
      await setImmediate()
      continue
    }
    const outcome = await writer.write(turn.changes)
    if (outcome === 'deposed') return
    if (outcome === 'stored') continue
    agenda.putBack(work)
    await writer.catchUp()
    state.restore(turn.changes)
  }
}

const msUntil = (at: Instant | undefined, now: Instant): number | undefined =>
  at === undefined ? undefined : Math.max(0, at - now)

type Outcome = 'stored' | 'refused' | 'deposed'

const worst = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.includes('deposed') ? 'deposed' : outcomes.includes('refused') ? 'refused' : 'stored'

class TurnWriter {
  readonly #parts: LoopParts
  #size = mostChanges

  constructor(parts: LoopParts) {
    this.#parts = parts
  }

  /** Writes a turn in as many transactions as it takes. One that is refused does not keep the others back. */
  async write(changes: readonly Change[]): Promise<Outcome> {
    const outcomes: Outcome[] = []
    let from = 0
    const writeOn = async (): Promise<void> => {
      while (from < changes.length && !outcomes.includes('deposed')) {
        const some = changes.slice(from, from + this.#size)
        from += some.length
        outcomes.push(await this.#transact(some))
      }
    }
    await Promise.all(Array.from({ length: atOnce }, writeOn))
    return worst(outcomes)
  }

  async #transact(changes: readonly Change[]): Promise<Outcome> {
    const { store, mirror, leadership, logger } = this.#parts
    using wait = this.#wait('a turn to be stored')
    try {
      const { revision } = await store.transact(changes, { wait, fence: leadership.fence })
      await mirror.reached(revision, wait)
      this.#size = Math.min(mostChanges, this.#size * 2)
      return 'stored'
    } catch (error) {
      if (leadership.signal.aborted || isMureError(error, 'precondition')) return 'deposed'
      if (isMureError(error, 'conflict', 'already-exists'))
        this.#size = Math.max(fewestChanges, this.#size >> 1)
      else if (isMureError(error, 'unavailable', 'timeout')) {
        // What became of it is not known: the next turn is decided on what then is.
        logger.warn('a turn could not be written yet', { error, changes: changes.length })
        await sleep(retryAfterMs, leadership.signal).catch(() => undefined)
      } else throw error
      return 'refused'
    }
  }

  /** Somebody else was quicker: the next decision needs what they wrote. */
  async catchUp(): Promise<void> {
    const { store, mirror, leadership, logger } = this.#parts
    while (!leadership.signal.aborted) {
      using wait = this.#wait('the newest state')
      try {
        await mirror.reached(await store.currentRevision(wait), wait)
        return
      } catch (error) {
        if (leadership.signal.aborted) return
        if (!isMureError(error, 'unavailable', 'timeout')) throw error
        logger.warn('the store does not answer; the loops wait for it', { error })
        await sleep(retryAfterMs, leadership.signal).catch(() => undefined)
      }
    }
  }

  #wait(what: string) {
    return startWait({ timeoutMs: writeTimeoutMs, signal: this.#parts.leadership.signal, what })
  }
}

/** Wakes one sleeper, now or as soon as it sleeps. */
class Bell {
  #rang = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rang = true
    this.#wake?.()
  }

  /** Resolves when the bell rings, or after `ms`. */
  async rung(ms: number | undefined): Promise<void> {
    if (!this.#rang)
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, Math.min(Math.ceil(ms), 2 ** 31 - 1))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    this.#wake = undefined
    this.#rang = false
  }
}

function onAbort(signal: AbortSignal, heard: () => void): Disposable {
  signal.addEventListener('abort', heard, { once: true })
  return {
    [Symbol.dispose]: () => {
      signal.removeEventListener('abort', heard)
    },
  }
}
