import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Engine } from '#engine/engine.ts'
import { lines } from '#engine/lines.ts'
import { engineError, readText } from '#engine/transport.ts'
import { MureError } from '#lib/errors.ts'
import { stringifyJson } from '#lib/lossless-json.ts'
import type { ApiRequest } from '../../http/request.ts'
import type { ApiResponse } from '../../http/response.ts'
import { parseEventFilter } from './filter.ts'
import type { ClusterEvents } from './source.ts'
import { parseTimestamp, renderTimestamp } from './time.ts'

export interface EventsBehind {
  readonly engine: Engine
  /** The version of the API that the engine is asked in. */
  readonly apiVersion: string
  readonly cluster: ClusterEvents
}

/**
 * `GET /events` of engine and cluster as one stream. What was before this call is sorted by time; what comes after is
 * told as it comes. The engine's lines are passed on as they were written.
 */
export async function streamEvents(
  { query, response, signal }: ApiRequest,
  behind: EventsBehind,
  nowNano: bigint,
): Promise<ApiResponse> {
  const isWanted = parseEventFilter(query.get('filters') ?? '')
  const since = parseTimestamp(query.get('since') ?? '')
  const until = parseTimestamp(query.get('until') ?? '')
  if (since !== undefined && until !== undefined && since > until) {
    const [from, to] = [query.get('since') ?? '', query.get('until') ?? '']
    throw new MureError('invalid', `\`since\` time (${from}) cannot be after \`until\` time (${to})`)
  }
  const isOver = until !== undefined && until <= nowNano
  const pastEnd = isOver ? until : nowNano
  const past =
    since === undefined || since > pastEnd
      ? []
      : await pastLines(behind, query, { since, until: pastEnd }, signal)
  const cluster = since === undefined ? [] : [...behind.cluster.past(since, pastEnd)].filter(isWanted)
  const told = [
    ...past.map((line) => ({ line, at: timeOf(line) })),
    ...cluster.map((event) => ({ line: stringifyJson(event), at: event.timeNano })),
  ].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  const live = isOver ? undefined : await askEngine(behind, query, { since: nowNano, until }, signal)
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  for (const { line } of told) await write(response, line, signal)
  if (live !== undefined) await follow(live, behind.cluster, isWanted, response, signal)
  response.end()
  return 'streamed'
}

interface Range {
  readonly since: bigint
  readonly until: bigint | undefined
}

async function askEngine(
  { engine, apiVersion }: EventsBehind,
  query: URLSearchParams,
  { since, until }: Range,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const asked = new URLSearchParams(query)
  asked.set('since', renderTimestamp(since))
  if (until !== undefined) asked.set('until', renderTimestamp(until))
  const answer = await engine.raw({
    method: 'GET',
    path: `/v${apiVersion}/events?${asked.toString()}`,
    signal,
  })
  if (answer.statusCode !== 200) throw engineError(answer.statusCode ?? 500, await readText(answer))
  return answer
}

async function pastLines(
  behind: EventsBehind,
  query: URLSearchParams,
  range: Range,
  signal: AbortSignal,
): Promise<string[]> {
  const text = await readText(await askEngine(behind, query, range, signal))
  return text.split('\n').filter((line) => line !== '')
}

/** Ends with the engine's stream: at `until`, or when the engine goes down. */
async function follow(
  live: IncomingMessage,
  cluster: ClusterEvents,
  isWanted: (event: Parameters<ReturnType<typeof parseEventFilter>>[0]) => boolean,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController()
  const both = AbortSignal.any([signal, over.signal])
  const fromCluster = async () => {
    for await (const event of cluster.follow(both)) {
      if (both.aborted) return
      if (isWanted(event)) await write(response, stringifyJson(event), both)
    }
  }
  const fromEngine = async () => {
    try {
      for await (const line of lines(live)) await write(response, line, signal)
    } finally {
      over.abort()
    }
  }
  const ended = await Promise.allSettled([fromEngine(), fromCluster()])
  for (const part of ended) if (part.status === 'rejected' && !both.aborted) throw part.reason as Error
}

async function write(response: ServerResponse, line: string, signal: AbortSignal): Promise<void> {
  if (!response.write(`${line}\n`)) await once(response, 'drain', { signal })
}

const timeOf = (line: string): bigint => BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? '0')
