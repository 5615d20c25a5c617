import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { logFrames } from '#engine/log-frames.ts'
import type { LogFrame } from '#engine/log-frames.ts'
import { lines } from '#engine/lines.ts'
import { engineError, readText } from '#engine/transport.ts'
import type { EngineTransport } from '#engine/transport.ts'
import type { LocalNode } from '../../backend.ts'
import type { LogRow } from '../wire.ts'
import type { RouteTable } from './route-table.ts'
import { present } from './support.ts'

const mostLines = 5_000

/** Logs as Docker's API gives them, of one task or all of a service, on whichever nodes; one JSON object a line. */
export function registerLogRoutes(routes: RouteTable, node: LocalNode, docker: EngineTransport): void {
  for (const kind of ['service', 'task'] as const)
    routes.add('GET', `/api/${kind}s/{id}/logs`, 'read-only', async (request) => {
      const object = present(node.control().view, kind, request)
      const template = object.kind === 'service' ? object.spec.template : object.spec
      const tail = Math.min(mostLines, Number(request.query.get('tail') ?? '200') || 0)
      const path = `/v1.41/${kind}s/${object.meta.id}/logs?stdout=1&stderr=1&timestamps=1&details=1&follow=1&tail=${String(tail)}`
      const answer = await docker.request({ method: 'GET', path, signal: request.signal })
      if (answer.statusCode !== 200) throw engineError(answer.statusCode ?? 0, await readText(answer))
      const rows = template.containers[0]?.tty === true ? terminalRows(answer) : framedRows(answer)
      return {
        status: 200,
        headers: { 'Content-Type': 'application/x-ndjson; charset=utf-8', 'X-Accel-Buffering': 'no' },
        stream: Readable.from(asLines(rows), { objectMode: false }),
      }
    })
}

async function* asLines(rows: AsyncIterable<LogRow>): AsyncGenerator<string> {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`
}

async function* framedRows(answer: IncomingMessage): AsyncGenerator<LogRow> {
  for await (const frame of logFrames(answer as AsyncIterable<Buffer>)) yield logRow(frame)
}

async function* terminalRows(answer: IncomingMessage): AsyncGenerator<LogRow> {
  for await (const line of lines(answer)) yield logRow({ stream: 'stdout', data: Buffer.from(line) })
}

/** The time, the details (which task, which node), the text. */
function logRow({ stream, data }: LogFrame): LogRow {
  const [, at = '', details = '', text = ''] = /^(\S+) (\S*) ?([\s\S]*)$/.exec(data.toString()) ?? []
  const detail = (name: string) =>
    details
      .split(',')
      .find((part) => part.startsWith(`com.docker.swarm.${name}=`))
      ?.split('=')[1] ?? ''
  return {
    at,
    stream: stream === 'stderr' ? 'stderr' : 'stdout',
    task: detail('task.id'),
    node: detail('node.id'),
    text: text.replace(/\r?\n$/, ''),
  }
}
