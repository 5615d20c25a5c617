import type { Task } from '#model/task.ts'

/** Waits for a node that it cannot have: the scheduler found none. */
export const isUnplaceable = (task: Task): boolean =>
  task.status.state === 'pending' && task.status.error !== ''
