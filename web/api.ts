import type { Message, SessionAnswer } from '../src/api/dashboard/wire.ts'

/** What the manager refused, in its words. */
export class Refusal extends Error {
  readonly status: number
  /** Further parts of the answer: the problems of a compose file. */
  readonly details: unknown

  constructor(status: number, message: string, details: unknown) {
    super(message)
    this.status = status
    this.details = details
  }
}

let csrf = ''

export async function login(token: string): Promise<SessionAnswer> {
  return remember(await call<SessionAnswer>('POST', '/api/login', { token }))
}

/** Undefined: nobody is logged in. */
export async function session(): Promise<SessionAnswer | undefined> {
  try {
    return remember(await call<SessionAnswer>('GET', '/api/session'))
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) return undefined
    throw error
  }
}

export const logout = (): Promise<unknown> => call('POST', '/api/logout')

function remember(answer: SessionAnswer): SessionAnswer {
  csrf = answer.csrf
  return answer
}

const headersFor = (body: unknown): Record<string, string> => ({
  ...(csrf === '' ? {} : { 'X-Mure-Csrf': csrf }),
  ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
})

export async function call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: headersFor(body),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw await refusalOf(answer)
  return (answer.status === 204 ? undefined : await answer.json()) as T
}

/** Bytes as they are. */
export async function sendBytes(path: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const headers = { 'X-Mure-Csrf': csrf, 'Content-Type': 'application/octet-stream' }
  const answer = await fetch(path, { method: 'POST', headers, body: bytes })
  if (!answer.ok) throw await refusalOf(answer)
}

/** A body that goes on: its bytes as they come. */
export async function open(
  method: string,
  path: string,
  options: { body?: unknown; signal: AbortSignal },
): Promise<{ reader: ReadableStreamDefaultReader<Uint8Array>; headers: Headers }> {
  const { body, signal } = options
  const answer = await fetch(path, {
    method,
    headers: headersFor(body),
    signal,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok || answer.body === null) throw await refusalOf(answer)
  return { reader: answer.body.getReader(), headers: answer.headers }
}

async function refusalOf(answer: Response): Promise<Refusal> {
  const text = await answer.text()
  try {
    const details = JSON.parse(text) as { message?: string }
    return new Refusal(answer.status, details.message ?? text, details)
  } catch {
    return new Refusal(answer.status, text === '' ? answer.statusText : text, undefined)
  }
}

export interface StreamEars {
  message(message: Message): void
  connection(isOpen: boolean): void
  /** The session is over. */
  loggedOut(): void
}

const retryMs = 1_000

/** Follows the cluster until it is told to stop; what broke off goes on from where it was. */
export function follow(revision: () => number, ears: StreamEars): () => void {
  let source: EventSource | undefined
  let timer: number | undefined
  let stopped = false
  const connect = () => {
    const since = revision()
    source = new EventSource(since > 0 ? `/api/stream?since=${String(since)}` : '/api/stream')
    source.onopen = () => {
      ears.connection(true)
    }
    source.onmessage = (event: MessageEvent<string>) => {
      ears.message(JSON.parse(event.data) as Message)
    }
    source.onerror = () => {
      ears.connection(false)
      source?.close()
      timer = window.setTimeout(retry, retryMs)
    }
  }
  const retry = () => {
    session().then(
      (known) => {
        if (stopped) return
        if (known === undefined) ears.loggedOut()
        else connect()
      },
      () => {
        if (!stopped) timer = window.setTimeout(retry, retryMs)
      },
    )
  }
  connect()
  return () => {
    stopped = true
    window.clearTimeout(timer)
    source?.close()
  }
}
