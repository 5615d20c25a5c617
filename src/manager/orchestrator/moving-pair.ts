import { compareStates } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Plan } from './plan.ts'
import { isUnplaceable } from './unplaceable.ts'

/** Of two tasks that a rebalance has put in one slot: which stays, and which is told to stop. */
export interface MovingPair {
  readonly stays: readonly Task[]
  readonly stops: Task | undefined
  readonly why: string
}

/**
 * A task that moves to a better node goes on until its successor there runs. A successor that has no room after all is
 * given up. Undefined: no move is under way in this slot.
 */
export function movingPair(plan: Plan, good: readonly Task[]): MovingPair | undefined {
  if (good.length !== 2 || !good.every((task) => plan.isClean(task))) return undefined
  const [old, successor] = good as readonly [Task, Task]
  if (successor.cause !== 'rebalance' || old.status.state !== 'running') return undefined
  if (isUnplaceable(successor))
    return { stays: [old], stops: successor, why: 'there is no room for it after all' }
  if (compareStates(successor.status.state, 'running') < 0)
    return { stays: [old, successor], stops: undefined, why: '' }
  return { stays: [successor], stops: old, why: 'its successor runs on a better node' }
}
