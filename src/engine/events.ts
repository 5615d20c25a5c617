import { backoffMs } from '#lib/retry.ts'
import type { Backoff } from '#lib/retry.ts'
import { sleep } from '#lib/wait.ts'
import type { Engine } from './engine.ts'
import type { EngineEvent } from './types.ts'

const reconnect: Backoff = { firstMs: 50, maxMs: 5_000 }

export interface FollowOptions {
  readonly signal: AbortSignal
  readonly types: readonly string[]
  /**
   * Each time a stream begins. After a restart of the engine what it remembers is told again from the last event on,
   * but it remembers little: whoever needs to know the state looks at it here.
   */
  readonly onOpen?: () => void
  /** Each time one ends or cannot begin; another follows by itself. */
  readonly onLost?: (error: unknown) => void
}

/** The engine's events until the signal ends it, over restarts of the engine. */
export async function* followEvents(engine: Engine, options: FollowOptions): AsyncGenerator<EngineEvent> {
  const { signal } = options
  let last: bigint | undefined
  for (let attempt = 0; !signal.aborted; attempt++) {
    try {
      const events = engine.events({
        signal,
        types: options.types,
        ...(last === undefined ? {} : { since: last + 1n }),
        onOpen: () => {
          attempt = 0
          options.onOpen?.()
        },
      })
      for await (const event of events) {
        last = event.timeNano
        yield event
      }
      options.onLost?.(undefined)
    } catch (error) {
      if (!signal.aborted) options.onLost?.(error)
    }
    await sleep(backoffMs(reconnect, attempt), signal).catch(() => undefined)
  }
}
