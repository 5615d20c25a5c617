import { request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { errorText, MureError } from '#lib/errors.ts'
import { lines } from '#engine/lines.ts'
import { logFrames } from '#engine/log-frames.ts'
import { engineError, readText } from '#engine/transport.ts'
import { startWait } from '#lib/wait.ts'
import type { Control } from '#manager/control/control.ts'
import type { Task } from '#model/task.ts'
import { parseFrame } from './log-line.ts'
import type { LogLine } from './log-line.ts'

export interface LogWish {
  readonly follow: boolean
  readonly since: string
  readonly tail: string
}

const openTimeoutMs = 5_000

/**
 * The log of one task's container, wherever it runs. Where it cannot be read there is one line that says why: the
 * logs of the others are no worse for it.
 */
export async function* taskLog(
  control: Control,
  task: Task,
  wish: LogWish,
  signal: AbortSignal,
): AsyncGenerator<LogLine> {
  const [container] = task.status.containers
  if (container === undefined || container.containerId === '' || task.nodeId === '') return
  try {
    const query = new URLSearchParams({
      stdout: '1',
      stderr: '1',
      timestamps: '1',
      follow: wish.follow ? '1' : '0',
      tail: wish.tail,
      since: wish.since,
    })
    const path = `/v1.41/containers/${container.containerId}/logs?${query.toString()}`
    const response = await openLog(control, task, path, signal)
    if (task.spec.containers[0]?.tty === true)
      for await (const line of lines(response)) yield parseFrame(Buffer.from(`${line}\n`), 'stdout', task)
    else
      for await (const frame of logFrames(response as AsyncIterable<Buffer>))
        yield parseFrame(frame.data, frame.stream, task)
  } catch (error) {
    if (signal.aborted) return
    const node = control.view.get('node', task.nodeId)
    const name = node?.status.description?.hostname ?? task.nodeId
    yield {
      stream: 'stderr',
      time: new Date().toISOString().replace('Z', '000000Z'),
      text: Buffer.from(`warning: incomplete log stream: ${task.meta.id} on ${name}: ${errorText(error)}\n`),
      task,
    }
  }
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
