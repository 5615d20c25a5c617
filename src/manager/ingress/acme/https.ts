import { request } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { MureError } from '#lib/errors.ts'

export interface HttpsAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

const silenceMs = 20_000
const maxBytes = 1024 * 1024

/** One request to an authority. `trust`: PEM, for one that no public root stands behind. */
export function askAuthority(
  method: 'GET' | 'HEAD' | 'POST',
  url: string,
  options: { readonly body?: string; readonly trust?: string | undefined; readonly signal: AbortSignal },
): Promise<HttpsAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpsAnswer>()
  const fail = (error: Error) => {
    reject(new MureError('unavailable', `${url}: ${error.message}`, { cause: error }))
  }
  const { body, trust, signal } = options
  const call = request(url, {
    method,
    signal,
    timeout: silenceMs,
    headers: {
      'user-agent': 'mure',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    },
    ...(trust === undefined ? {} : { ca: trust }),
  })
  call.once('timeout', () => call.destroy(new Error(`no answer within ${String(silenceMs / 1000)} s`)))
  call.once('error', fail)
  call.once('response', (answer) => {
    let text = ''
    answer.setEncoding('utf8')
    answer.on('data', (chunk: string) => {
      text += chunk
      if (text.length > maxBytes) answer.destroy(new Error('the answer is too large'))
    })
    answer.once('error', fail)
    answer.once('end', () => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text })
    })
  })
  call.end(body)
  return promise
}
