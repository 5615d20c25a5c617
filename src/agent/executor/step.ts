import { compareStates, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'

/** What is known of a task's container: absent, made, running, or ended. */
export type ContainerPhase = 'absent' | 'created' | 'running' | 'exited'

export type Step =
  /** Pull the image and create the container. */
  | 'prepare'
  | 'start'
  /** It runs: nothing to do until something happens. */
  | 'watch'
  /** Made and not to be started yet. */
  | 'hold'
  | 'stop'
  /** It has ended by itself: say how. */
  | 'conclude'
  /** It was running and its container is gone. */
  | 'lost'
  /** The task is over. */
  | 'rest'

/**
 * The one next operation of a task, from what is wanted, what was last reported and what the engine shows.
 * Nothing here waits: the runner performs the step and asks again.
 */
export function nextStep(desired: TaskState, reported: TaskState, container: ContainerPhase): Step {
  if (isTerminal(reported)) return container === 'running' ? 'stop' : 'rest'
  if (isTerminal(desired)) return container === 'exited' && reported === 'running' ? 'conclude' : 'stop'
  switch (container) {
    case 'absent':
      return compareStates(reported, 'starting') < 0 ? 'prepare' : 'lost'
    case 'created':
      return compareStates(desired, 'ready') <= 0 ? 'hold' : 'start'
    case 'running':
      return 'watch'
    case 'exited':
      return 'conclude'
  }
}
