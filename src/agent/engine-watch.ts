import type { Engine } from '#engine/engine.ts'
import { followEvents } from '#engine/events.ts'
import type { EngineEvent } from '#engine/types.ts'
import { errorText } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'

export interface EngineListener {
  /** The engine answers, for the first time or again: all of it is to be looked at. */
  engineIsUp(): void
  /** It is gone, or silent. Nothing is known of its containers. */
  engineIsDown(problem: string): void
  hear(event: EngineEvent): void
}

/** Follows the local engine through its restarts and silences until the signal ends it. */
export async function watchEngine(
  engine: Engine,
  listener: EngineListener,
  options: { signal: AbortSignal; logger: Logger },
): Promise<void> {
  const { signal, logger } = options
  let isUp: boolean | undefined
  const events = followEvents(engine, {
    signal,
    types: ['container', 'network', 'volume', 'plugin'],
    onOpen: () => {
      if (isUp === false) logger.info('the engine is back')
      isUp = true
      listener.engineIsUp()
    },
    onLost: (error) => {
      if (signal.aborted) return
      const problem = error === undefined ? 'the engine has ended its connection' : errorText(error)
      if (isUp !== false) logger.warn('the engine is lost', { error: problem })
      isUp = false
      listener.engineIsDown(problem)
    },
  })
  for await (const event of events) listener.hear(event)
}
