import type { Instant } from '#lib/clock.ts'
import type { Node } from '#model/node.ts'
import { compareStates, isRunnable, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task, TaskStatus } from '#model/task.ts'

/** The next state that a host's agent would report; undefined: there is nothing for it to do. */
export type AgentBehaviour = (task: Task, node: Node) => TaskState | undefined

/** Everything starts that should, what should end does, and jobs complete. A host that is down does nothing. */
export const dutiful: AgentBehaviour = ({ status: { state }, desiredState }, node) => {
  if (node.status.state !== 'ready' || isTerminal(state) || compareStates(state, 'assigned') < 0)
    return undefined
  if (!isRunnable(desiredState)) return 'shutdown'
  if (desiredState === 'ready') return compareStates(state, 'ready') < 0 ? 'ready' : undefined
  if (compareStates(state, 'running') < 0) return 'running'
  return desiredState === 'complete' ? 'complete' : undefined
}

/** The status that goes with it. */
export function reported(task: Task, state: TaskState, now: Instant): TaskStatus {
  const [container] = task.status.containers
  const containers =
    state === 'running'
      ? [{ name: '', containerId: task.meta.id, pid: 1, startedAt: now }]
      : container === undefined
        ? []
        : [{ ...container, finishedAt: now, exitCode: state === 'failed' ? 1 : 0 }]
  return {
    state,
    since: now,
    message: state === 'running' ? 'started' : state,
    error: state === 'failed' ? 'task: non-zero exit (1)' : '',
    containers,
  }
}
