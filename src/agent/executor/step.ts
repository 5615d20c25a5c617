import { compareStates, isRunnable, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'

/** What is known of a task's container. `removing`: the engine is taking it away. */
export type ContainerPhase = 'absent' | 'created' | 'running' | 'exited' | 'removing'

/** All that the next step of a task depends on. Moments are of the agent's monotonic clock, milliseconds. */
export interface Situation {
  readonly desired: TaskState
  /** The task has left the node's assignments: nothing of it is to stay. */
  readonly isGone: boolean
  /** The state last reported. */
  readonly reported: TaskState
  readonly container: ContainerPhase
  readonly health?: 'starting' | 'healthy' | 'unhealthy'
  readonly now: number
  /** It may not start before. */
  readonly startAt: number
  /** The container may be back until then: somebody stopped it by hand, perhaps to start it again. */
  readonly maybeBackUntil: number
  /** Before then the other hosts may still send to it. */
  readonly mayStopFrom: number
  /** Its secrets or configs have new data that it is to get where it is. */
  readonly isRefreshDue?: boolean
}

export type Action =
  /** Get the image and create the container. */
  | 'prepare'
  /** It is made and does not start yet. */
  | 'hold'
  | 'start'
  /** Write its secrets and configs anew. */
  | 'refresh'
  /** It runs, and counts as running once it is healthy. */
  | 'await-health'
  | 'run'
  /** It has ended, and may be on its way back. */
  | 'await-return'
  /** It has ended by itself: say how. */
  | 'conclude'
  /** It was running and its container is gone. */
  | 'lose'
  /** The other hosts are taking it out of service. */
  | 'await-withdrawal'
  /** Stop the container, with the task's grace period. */
  | 'stop'
  /** Nothing of it runs any more, as was wanted: say so. */
  | 'end'
  /** Remove the container with its anonymous volumes. */
  | 'delete'
  /** Nothing is left to be done for this task, ever. */
  | 'forget'
  | 'rest'

export interface Step {
  readonly action: Action
  /** Look again then, though nothing may have happened. */
  readonly wakeAt?: number
}

/**
 * The one next operation of a task. Nothing here waits: the runner performs the step, looks at the container and
 * asks again. States that were reported are never taken back (`model/task-state.ts`, the agent's rows):
 *
 * | wanted         | absent                        | created        | running              | exited   |
 * |----------------|-------------------------------|----------------|----------------------|----------|
 * | running, ready, complete | prepare; lose if it had begun | start, or hold | run, or await-health | conclude |
 * | (has ended)    | rest                          | rest           | stop                 | rest     |
 * | shutdown       | end                           | end            | stop                 | end      |
 * | remove         | end                           | end, delete    | stop                 | end, delete |
 * | gone           | forget                        | delete         | stop                 | delete   |
 *
 * A container that is stopped by hand ends its task; one that is restarted by hand keeps its task running. The engine
 * shows both as an end, so the end is believed only once the container has had the time to come back. An ended task
 * whose container is started by hand later is stopped again: it has been replaced by then.
 */
export function nextStep(situation: Situation): Step {
  const { desired, isGone, reported, container } = situation
  if (container === 'removing') return { action: 'rest' }
  const isUnwanted = isGone || !isRunnable(desired) || isTerminal(reported)
  if (isUnwanted && container === 'running') {
    const isServing = !isGone && !isTerminal(reported) && situation.mayStopFrom > situation.now
    return isServing ? { action: 'await-withdrawal', wakeAt: situation.mayStopFrom } : { action: 'stop' }
  }
  if (isGone) return { action: container === 'absent' ? 'forget' : 'delete' }
  if (!isTerminal(reported)) return isRunnable(desired) ? stepOfWanted(situation) : { action: 'end' }
  return { action: desired === 'remove' && container !== 'absent' ? 'delete' : 'rest' }
}

function stepOfWanted(situation: Situation): Step {
  const { desired, reported, container, now } = situation
  switch (container) {
    case 'absent':
      return { action: compareStates(reported, 'starting') < 0 ? 'prepare' : 'lose' }
    case 'created':
      if (situation.isRefreshDue === true) return { action: 'refresh' }
      if (compareStates(desired, 'ready') <= 0) return { action: 'hold' }
      if (situation.startAt > now) return { action: 'hold', wakeAt: situation.startAt }
      return { action: 'start' }
    case 'running':
      if (situation.health === 'unhealthy') return { action: 'stop' }
      if (situation.isRefreshDue === true) return { action: 'refresh' }
      return { action: situation.health === 'starting' ? 'await-health' : 'run' }
    case 'exited':
      if (situation.maybeBackUntil > now) return { action: 'await-return', wakeAt: situation.maybeBackUntil }
      return { action: 'conclude' }
    case 'removing':
      return { action: 'rest' }
  }
}
