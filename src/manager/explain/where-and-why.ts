import type { Instant } from '#lib/clock.ts'
import { clusterDefaults } from '#model/defaults.ts'
import { compareStates } from '#model/task-state.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { decideRestart } from '../orchestrator/restart.ts'
import { hasEnded, isWanted, misplacement } from '../orchestrator/service-view.ts'

/** One sentence on a task: what keeps it where it is, or what it waits for. */
export function whereAndWhy(view: View, task: Task, service: Service | undefined, now: Instant): string {
  if (hasEnded(task)) return ended(task, service, now)
  if (!isWanted(task)) return leaving(view, task, service)
  if (compareStates(task.status.state, 'assigned') < 0) return nowhere(task)
  const place = placeOf(view, task, service)
  if (place !== undefined) return place
  if (task.desiredState === 'ready') {
    if ((task.startAfter ?? 0) > now)
      return `waits for its restart delay, until ${new Date(task.startAfter ?? 0).toISOString()}`
    return 'is made ready, and waits for the task that it replaces to stop'
  }
  if (task.status.state === 'running') return madeFor[task.cause ?? 'missing']
  return `is on its way there: ${task.status.message}`
}

const madeFor: Readonly<Record<NonNullable<Task['cause']> | 'missing', string>> = {
  missing: 'was placed there when the service lacked a task',
  restart: 'was placed there after the task before it ended',
  move: 'was placed there when the task before it lost its node',
  update: 'was placed there when the service was updated',
  rebalance: 'was moved there, where there was more room',
}

function nowhere({ status, desiredState }: Task): string {
  if (status.error !== '') return status.error
  if (desiredState === 'ready') return 'is to be made ready, and has not been looked at yet'
  return 'has not been looked at by the leader yet'
}

function ended(task: Task, service: Service | undefined, now: Instant): string {
  const { state, error, message } = task.status
  const how = `${state}: ${error === '' ? message : error}`
  if (service === undefined || isWanted(task)) return how
  const decision = decideRestart(task, now, service.spec.mode.type.endsWith('-job'))
  return decision.restart ? how : `${how}; not replaced: ${decision.reason}`
}

function leaving(view: View, task: Task, service: Service | undefined): string {
  if (service === undefined) return 'is being stopped: its service was removed'
  return `is being stopped: ${placeOf(view, task, service) ?? `it is to be ${task.desiredState}`}`
}

/** What is wrong with the place that it has. */
function placeOf(view: View, task: Task, service: Service | undefined): string | undefined {
  const wrong = misplacement(task, {
    service,
    tasks: [],
    node: (id) => view.get('node', id),
    nodes: () => [],
    taskHistoryLimit: 0,
    drainOrder: clusterDefaults.drainOrder,
  })
  switch (wrong) {
    case undefined:
      return undefined
    case 'lost':
      return 'its node is down or gone'
    case 'drained':
      return 'its node is drained: it stops once its replacement runs'
    case 'unsuitable':
      return 'its node does not meet its constraints any more'
  }
}
