import type { ServerResponse } from 'node:http'

/** What a handler answers. `streamed`: it has written, or is writing, the answer by itself. */
export type ApiResponse =
  | { readonly status: number; readonly json?: unknown; readonly headers?: Readonly<Record<string, string>> }
  | { readonly status: number; readonly text: string; readonly headers?: Readonly<Record<string, string>> }
  | 'streamed'

export const ok = (json: unknown): ApiResponse => ({ status: 200, json })
export const created = (json: unknown): ApiResponse => ({ status: 201, json })
export const done = (status = 200): ApiResponse => ({ status })

export function send(response: ServerResponse, answer: ApiResponse): void {
  if (answer === 'streamed' || response.headersSent) return
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value)
  if ('text' in answer) {
    response.writeHead(answer.status, {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': Buffer.byteLength(answer.text),
    })
    response.end(answer.text)
    return
  }
  if (answer.json === undefined) {
    response.writeHead(answer.status, answer.status === 204 ? {} : { 'Content-Length': '0' })
    response.end()
    return
  }
  // Go's encoder ends each document with a line feed; clients that read by lines rely on it.
  const body = `${JSON.stringify(answer.json)}\n`
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
  })
  response.end(body)
}
