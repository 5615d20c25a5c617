import type { TaskState } from '#model/task-state.ts'
import type { ObservedContainer } from './observed.ts'

/** How a task ended, in Swarm's words: `docker service ps` shows them, and people search for them. */
export interface Outcome {
  readonly state: TaskState
  readonly message: string
  readonly error: string
}

/** Of a container that ended while it was to run. */
export function outcomeOf(ended: ObservedContainer): Outcome {
  const code = ended.status.exitCode ?? 0
  // Swarm calls it complete when a container that was stopped as unhealthy exits with 0, and starts no other.
  if (code === 0 && ended.status.health === 'unhealthy')
    return { state: 'failed', message: 'started', error: 'task: unhealthy container' }
  if (code === 0 && ended.error === '') return { state: 'complete', message: 'finished', error: '' }
  const cause = causeOf(ended)
  return {
    state: 'failed',
    message: 'started',
    error: `task: non-zero exit (${String(code)})${cause === '' ? '' : `: ${cause}`}`,
  }
}

/** An unhealthy container is stopped for it, so its exit code tells nothing. */
function causeOf(ended: ObservedContainer): string {
  if (ended.status.health === 'unhealthy') return 'dockerexec: unhealthy container'
  if (ended.isOutOfMemory) return 'OOMKilled: the container ran out of memory'
  return ended.error
}

export const lostContainer: Outcome = {
  state: 'failed',
  message: 'started',
  error: 'dockerexec: container destroyed',
}

export const asWanted: Outcome = { state: 'shutdown', message: 'shutdown', error: '' }

/** The engine refused a part of it: before its start a task is rejected, from then on it has failed. */
export const refused = (hasBegun: boolean, message: string, error: string): Outcome => ({
  state: hasBegun ? 'failed' : 'rejected',
  message,
  error,
})
