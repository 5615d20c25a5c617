import type { View } from '#manager/control/control.ts'
import type { Service } from '#model/service.ts'
import { isRunnable } from '#model/task-state.ts'
import type { TaskCounts } from './convert/service.ts'

/** What `docker service ls` counts: how many run, and how many should. */
export function countTasks(view: View, service: Service): TaskCounts {
  const { mode } = service.spec
  let running = 0
  let wanted = 0
  let completed = 0
  for (const task of view.tasksOfService(service.meta.id)) {
    if (task.status.state === 'running' && isRunnable(task.desiredState)) running += 1
    // What a global job has completed is no longer wanted: clients add the two.
    if (isRunnable(task.desiredState) && task.status.state !== 'complete') wanted += 1
    if (task.status.state === 'complete' && (task.jobIteration ?? 0) === (service.status.job?.iteration ?? 0))
      completed += 1
  }
  if (mode.type === 'replicated') return { running, desired: mode.replicas ?? 1, completed: 0 }
  if (mode.type === 'global') return { running, desired: wanted, completed: 0 }
  if (mode.type === 'replicated-job') return { running, desired: mode.maxConcurrent ?? 1, completed }
  return { running, desired: wanted, completed }
}
