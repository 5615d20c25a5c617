import type { Node } from '#model/node.ts'
import { compareStates, isRunnable, isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'

/**
 * The tasks for which a node has no room any more, because it has less than it had: the newest, as many as it
 * takes for the others to fit. A node that says nothing of its resources is not judged.
 */
export function overcommitted(node: Node, tasks: Iterable<Task>): Task[] {
  const resources = node.status.description?.resources
  if (resources === undefined) return []
  let { cpuNano = 0, memoryBytes = 0 } = resources
  const evicted: Task[] = []
  const running = [...tasks].filter(
    (task) =>
      holdsRoom(task) && compareStates(task.status.state, 'assigned') >= 0 && !isTerminal(task.status.state),
  )
  for (const task of running.sort((a, b) => a.meta.createdAt - b.meta.createdAt)) {
    const { reservations } = task.spec.resources ?? {}
    const cpu = reservations?.cpuNano ?? 0
    const memory = reservations?.memoryBytes ?? 0
    if ((cpu > 0 && cpu > cpuNano) || (memory > 0 && memory > memoryBytes)) {
      evicted.push(task)
      continue
    }
    cpuNano -= cpu
    memoryBytes -= memory
  }
  return evicted
}

/** What waits for its predecessor to stop takes over the room of that one. */
const holdsRoom = ({ desiredState, succeeds }: Task): boolean =>
  isRunnable(desiredState) && !(desiredState === 'ready' && succeeds !== undefined)
