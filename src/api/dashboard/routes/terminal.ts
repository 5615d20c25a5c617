import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { engineError, readText } from '#engine/transport.ts'
import type { EngineTransport } from '#engine/transport.ts'
import { MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { ApiRequest } from '../../http/request.ts'
import { done } from '../../http/response.ts'
import type { LocalNode } from '../../backend.ts'
import type { RouteTable } from './route-table.ts'
import { bodyOf, present, wholeNumberIn } from './support.ts'

/** Terminals at once; each holds a process in a container. */
const mostTerminals = 50
const mostInputBytes = 1024 * 1024
const defaultCommand = ['sh', '-c', 'if command -v bash >/dev/null; then exec bash; else exec sh; fi']

interface Terminal {
  /** The session that opened it: nobody else may type into it. */
  readonly owner: string
  readonly execId: string
  readonly input: Duplex
}

/**
 * A command in a task's container, on whichever node. Its output is the body of the answer that opens it; what is
 * typed comes by requests of their own, which carry the CSRF token as all others do.
 */
export function registerTerminalRoutes(
  routes: RouteTable,
  parts: { readonly node: LocalNode; readonly docker: EngineTransport; readonly logger: Logger },
): void {
  const { node, docker, logger } = parts
  const terminals = new Map<string, Terminal>()

  routes.add('POST', '/api/tasks/{id}/terminal', 'admin', async (request, { session }) => {
    const task = present(node.control().view, 'task', request)
    const containerId = task.status.containers[0]?.containerId ?? ''
    if (containerId === '') throw new MureError('precondition', 'this task has no container (any more)')
    if (terminals.size >= mostTerminals)
      throw new MureError('exhausted', `${String(mostTerminals)} terminals are open already`)
    const body = await bodyOf(request)
    const size = sizeIn(body)
    const execId = await create(docker, containerId, commandIn(body))
    const input = await start(docker, execId, request.signal)
    // A container that dies takes its connection along; who reads from it hears of that by its end.
    input.on('error', () => undefined)
    const id = randomBytes(12).toString('base64url')
    terminals.set(id, { owner: session.id, execId, input })
    // Who did what in a container is asked afterwards.
    logger.info('a terminal was opened', { task: task.meta.id, terminal: id, session: session.id })
    input.once('close', () => terminals.delete(id))
    request.signal.addEventListener('abort', () => input.destroy(), { once: true })
    await resize(docker, execId, size).catch(() => undefined)
    return {
      status: 200,
      headers: { 'Content-Type': 'application/octet-stream', 'X-Terminal': id, 'X-Accel-Buffering': 'no' },
      stream: input,
    }
  })

  const own = (request: ApiRequest, owner: string): Terminal => {
    const terminal = terminals.get(request.params['id'] ?? '')
    if (terminal?.owner !== owner) throw new MureError('not-found', 'this terminal is closed')
    return terminal
  }

  routes.add('POST', '/api/terminals/{id}/input', 'admin', async (request, { session }) => {
    const { input } = own(request, session.id)
    input.write(await bytesOf(request))
    return done(204)
  })

  routes.add('POST', '/api/terminals/{id}/size', 'admin', async (request, { session }) => {
    const { execId } = own(request, session.id)
    await resize(docker, execId, sizeIn(await bodyOf(request)))
    return done(204)
  })
}

interface Size {
  readonly columns: number
  readonly rows: number
}

const sizeIn = (body: Readonly<Record<string, unknown>>): Size => ({
  columns: wholeNumberIn(body, 'columns', 1_000),
  rows: wholeNumberIn(body, 'rows', 1_000),
})

function commandIn(body: Readonly<Record<string, unknown>>): readonly string[] {
  const { command } = body
  if (typeof command !== 'string' || command.trim() === '') return defaultCommand
  return ['sh', '-c', command]
}

async function create(
  docker: EngineTransport,
  containerId: string,
  command: readonly string[],
): Promise<string> {
  const options = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Tty: true, Cmd: command }
  const answer = await docker.request({
    method: 'POST',
    path: `/v1.41/containers/${containerId}/exec`,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...options, Env: ['TERM=xterm-256color'] }),
  })
  const text = await readText(answer)
  if (answer.statusCode !== 201) throw engineError(answer.statusCode ?? 0, text)
  return (JSON.parse(text) as { Id: string }).Id
}

async function start(docker: EngineTransport, execId: string, signal: AbortSignal): Promise<Duplex> {
  const body = JSON.stringify({ Detach: false, Tty: true })
  const { socket, head } = await docker.upgrade({
    method: 'POST',
    path: `/v1.41/exec/${execId}/start`,
    headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    body,
    signal,
  })
  if (head.length > 0) socket.unshift(head)
  return socket
}

async function resize(docker: EngineTransport, execId: string, { columns, rows }: Size): Promise<void> {
  const answer = await docker.request({
    method: 'POST',
    path: `/v1.41/exec/${execId}/resize?w=${String(columns)}&h=${String(rows)}`,
  })
  answer.resume()
}

async function bytesOf(request: ApiRequest): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > mostInputBytes) throw new MureError('invalid', 'so much is not typed at once')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
