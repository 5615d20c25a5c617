import { MureError } from '#lib/errors.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { View } from '#store/mirror/view.ts'
import { byAge } from '../orchestrator/slots.ts'
import { isWanted } from '../orchestrator/service-view.ts'

export interface Subject {
  readonly service: Service | undefined
  /** Absent where a service as a whole is meant. */
  readonly task?: Task
}

/** As `docker service ps` names it. */
export const nameOfTask = (task: Task): string =>
  task.serviceName === ''
    ? task.meta.id
    : `${task.serviceName}.${task.slot === 0 ? task.nodeId : String(task.slot)}`

/** A service, or a task, by id, by name (`web`, `web.1`), or by the beginning of an id, in that order. */
export function findSubject(view: View, wanted: string): Subject {
  const service = view.get('service', wanted) ?? view.byName('service', wanted)
  if (service !== undefined) return { service }
  const task = view.get('task', wanted) ?? named(view, wanted)
  if (task !== undefined) return subject(view, task)
  const services = wanted === '' ? [] : view.byIdPrefix('service', wanted)
  const tasks = wanted === '' ? [] : view.byIdPrefix('task', wanted)
  const found = services.length + tasks.length
  if (found > 1) throw new MureError('invalid', `${wanted} is ambiguous (${String(found)} matches found)`)
  const [onlyService] = services
  const [onlyTask] = tasks
  if (onlyService !== undefined) return { service: onlyService }
  if (onlyTask !== undefined) return subject(view, onlyTask)
  throw new MureError('not-found', `no such task or service: ${wanted}`)
}

const subject = (view: View, task: Task): Subject => ({
  task,
  service: task.serviceId === '' ? undefined : view.get('service', task.serviceId),
})

/** `web.3`: the newest of its slot, one that is wanted before others. A service's name may have dots of its own. */
function named(view: View, wanted: string): Task | undefined {
  const dot = wanted.lastIndexOf('.')
  if (dot < 0) return undefined
  const service = view.byName('service', wanted.slice(0, dot))
  if (service === undefined) return undefined
  const tasks = [...view.tasksOfService(service.meta.id)]
    .filter((task) => nameOfTask(task) === wanted)
    .sort(byAge)
  return tasks.findLast(isWanted) ?? tasks.at(-1)
}
