import { Readable } from 'node:stream'
import type { Control } from '#manager/control/control.ts'
import type { Task } from '#model/task.ts'
import type { ApiRequest } from '../../http/request.ts'
import type { ApiResponse } from '../../http/response.ts'
import type { Router } from '../../http/router.ts'
import type { FacadeParts } from '../facade.ts'
import { find } from '../find.ts'
import { askedOf } from '../logs/ask.ts'
import { renderLine } from '../logs/log-line.ts'
import type { LogFormat, LogLine } from '../logs/log-line.ts'
import { FollowedLogs, mergeEnded } from '../logs/merge.ts'
import { taskLog } from '../logs/task-log.ts'
import type { LogWish } from '../logs/task-log.ts'

export function registerLogRoutes(router: Router, { node }: FacadeParts): void {
  router.add('GET', '/services/{id}/logs', async (request) => {
    const control = node.control()
    const { format, wish } = askedOf(request.query)
    const service = find(control.view, 'service', request.params['id'] ?? '')
    const isOurs = (task: Task) => task.serviceId === service.meta.id
    const raw = service.spec.template.containers[0]?.tty === true
    const tasks = [...control.view.tasksOfService(service.meta.id)]
    return logs(request, control, tasks, isOurs, { wish, format: { ...format, raw } })
  })

  router.add('GET', '/tasks/{id}/logs', async (request) => {
    const control = node.control()
    const { format, wish } = askedOf(request.query)
    const task = find(control.view, 'task', request.params['id'] ?? '')
    const raw = task.spec.containers[0]?.tty === true
    const isOurs = (other: Task) => other.meta.id === task.meta.id
    return logs(request, control, [task], isOurs, { wish, format: { ...format, raw } })
  })
}

function logs(
  request: ApiRequest,
  control: Control,
  tasks: readonly Task[],
  isOurs: (task: Task) => boolean,
  { format, wish }: { format: LogFormat; wish: LogWish },
): ApiResponse {
  const signal = request.signal
  const lines = wish.follow
    ? followed(control, tasks, isOurs, wish, signal)
    : mergeEnded(tasks.map((task) => taskLog(control, task, wish, signal)))
  return {
    status: 200,
    headers: { 'Content-Type': 'application/vnd.docker.raw-stream' },
    stream: Readable.from(rendered(lines, format), { objectMode: false }),
  }
}

async function* rendered(lines: AsyncIterable<LogLine>, format: LogFormat): AsyncGenerator<Buffer> {
  for await (const line of lines) {
    const bytes = renderLine(line, format)
    if (bytes.length > 0) yield bytes
  }
}

/** Tasks that come later are followed too, from their beginning. */
async function* followed(
  control: Control,
  tasks: readonly Task[],
  isOurs: (task: Task) => boolean,
  wish: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const all = new FollowedLogs(signal)
  const known = new Set<string>()
  const add = (task: Task, from: LogWish) => {
    if (known.has(task.meta.id) || (task.status.containers[0]?.containerId ?? '') === '') return
    known.add(task.meta.id)
    all.add(taskLog(control, task, from, signal))
  }
  for (const task of tasks) add(task, wish)
  using _subscription = control.view.subscribe((events) => {
    for (const { kind, after } of events)
      if (kind === 'task' && after !== undefined && isOurs(after as Task))
        add(after as Task, { ...wish, tail: 'all', since: '' })
  })
  yield* all.lines()
}
