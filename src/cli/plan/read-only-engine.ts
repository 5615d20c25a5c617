import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { errorText } from '#lib/errors.ts'
import type { DaemonClient } from '../client.ts'

const refusal =
  'this is a plan: only what docker asks of the cluster can be planned, and nothing else is done'

/**
 * Stands where a plan's engine would be: what only reads is answered by the live daemon (what an image is, which version
 * docker speaks to), and all else is refused, so that a plan changes nothing whatever is asked of it.
 */
export async function startReadOnlyEngine(path: string, client: DaemonClient): Promise<AsyncDisposable> {
  const server = createServer((message, response) => {
    answer(message, response, client).catch((error: unknown) => {
      refuse(response, 502, errorText(error))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return {
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(
  message: IncomingMessage,
  response: ServerResponse,
  client: DaemonClient,
): Promise<void> {
  message.resume()
  if (message.method !== 'GET') {
    refuse(response, 403, refusal)
    return
  }
  const gone = new AbortController()
  response.once('close', () => {
    gone.abort()
  })
  const { 'x-registry-auth': auth } = message.headers
  const live = await client.answer({
    method: 'GET',
    path: message.url ?? '/',
    signal: gone.signal,
    ...(auth === undefined ? {} : { headers: { 'x-registry-auth': auth } }),
  })
  const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = live.headers
  response.writeHead(live.statusCode ?? 502, headers)
  await pipeline(live, response)
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(`${JSON.stringify({ message })}\n`)
}
