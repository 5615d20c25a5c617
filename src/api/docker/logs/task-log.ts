import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { errorText, MureError } from '#lib/errors.ts'
import { lines } from '#engine/lines.ts'
import { logFrames } from '#engine/log-frames.ts'
import { engineError, readText } from '#engine/transport.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Control } from '#manager/control/control.ts'
import type { Task } from '#model/task.ts'
import { isTerminal } from '#model/task-state.ts'
import { parseFrame } from './log-line.ts'
import type { LogLine } from './log-line.ts'
import { ResumePoint } from './resume.ts'

export interface LogWish {
  readonly follow: boolean
  readonly since: string
  readonly until: string
  readonly tail: string
}

const openTimeoutMs = 5_000

/** A log that broke off, or could not be opened, is tried again so long after. */
const againMs = 1_000

/**
 * The log of one task's container, wherever it runs. Where it cannot be read there is one line that says why: the
 * logs of the others are no worse for it. One that is followed goes on where it broke off, as soon as its node can be
 * reached again.
 */
export async function* taskLog(
  control: Control,
  task: Task,
  wish: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const [container] = task.status.containers
  if (container === undefined || container.containerId === '' || task.nodeId === '') return
  const point = new ResumePoint()
  let hasWarned = false
  while (!signal.aborted) {
    try {
      for await (const line of readLog(control, task, point.wish(wish), signal)) {
        hasWarned = false
        if (point.isNew(line)) yield line
      }
      return
    } catch (error) {
      if (signal.aborted) return
      if (!hasWarned) yield warning(control, task, error)
      hasWarned = true
      if (!wish.follow || !mayGoOn(control, task)) return
    }
    await sleep(againMs, signal).catch(() => undefined)
  }
}

/** Whether more is to be expected of a task. */
function mayGoOn(control: Control, task: Task): boolean {
  const present = control.view.get('task', task.meta.id)
  return present !== undefined && !isTerminal(present.status.state)
}

async function* readLog(
  control: Control,
  task: Task,
  wish: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const query = new URLSearchParams({
    stdout: '1',
    stderr: '1',
    timestamps: '1',
    details: '1',
    follow: wish.follow ? '1' : '0',
    tail: wish.tail,
    since: wish.since,
    until: wish.until,
  })
  const id = task.status.containers[0]?.containerId ?? ''
  const response = await openLog(control, task, `/v1.41/containers/${id}/logs?${query.toString()}`, signal)
  if (task.spec.containers[0]?.tty === true)
    for await (const line of lines(response)) yield parseFrame(Buffer.from(`${line}\n`), 'stdout', task)
  else
    for await (const frame of logFrames(response as AsyncIterable<Buffer>))
      yield parseFrame(frame.data, frame.stream, task)
}

/** Docker's sentence for logs that are not whole, as a line among the others. */
function warning(control: Control, task: Task, error: unknown): LogLine {
  const node = control.view.get('node', task.nodeId)
  const name = node?.status.description?.hostname ?? task.nodeId
  const reason =
    node?.status.state === 'ready'
      ? `${task.meta.id} on ${name}: ${errorText(error)}`
      : `node ${name} is not available`
  const text = `warning: incomplete log stream. some logs could not be retrieved for the following reasons: ${reason}\n`
  const time = new Date().toISOString().replace('Z', '000000Z')
  return { stream: 'stderr', time, attributes: '', text: Buffer.from(text), task }
}

async function openLog(
  control: Control,
  task: Task,
  path: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  if (task.nodeId === '') throw new MureError('precondition', 'the task has no node')
  using wait = startWait({ timeoutMs: openTimeoutMs, signal, what: 'the node to open its log' })
  const relayed = await control.relay(task.nodeId, { method: 'GET', path, headers: {} }, wait)
  const end = () => relayed.destroy()
  signal.addEventListener('abort', end, { once: true })
  relayed.once('close', () => {
    signal.removeEventListener('abort', end)
  })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asking = request({ createConnection: () => relayed, path, headers: { host: 'docker' } }, resolve)
    asking.once('error', reject)
    asking.end()
  })
  if (response.statusCode === 200) return response
  throw engineError(response.statusCode ?? 0, await readText(response))
}
