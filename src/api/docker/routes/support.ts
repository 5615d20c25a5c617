import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { ApiRequest } from '../../http/request.ts'
import { isOlder } from '../versions.ts'

/** A write that the store has not answered by then is not going to be answered: the quorum is gone. */
const writeTimeoutMs = 15_000

/** How long a request may wait, and that it stops when its client goes away. */
export function waitOf(request: ApiRequest, timeoutMs = writeTimeoutMs): Wait & Disposable {
  return startWait({ timeoutMs, signal: request.signal, what: 'the store to take the change' })
}

/** The version that every update must name. */
export function versionOf(request: ApiRequest): number {
  const text = request.query.get('version') ?? ''
  const kind = request.path.split('/')[1]?.replace(/s$/, '') ?? ''
  if (!/^\d+$/.test(text)) {
    const reason = `invalid ${kind} version '${text}': strconv.ParseUint: parsing "${text}": invalid syntax`
    const isShort = kind === 'secret' || kind === 'config'
    throw new MureError('invalid', isShort ? `invalid ${kind} version` : reason)
  }
  return Number(text)
}

/** A flag that any text sets which is no word for no. */
export const isTrue = (text: string | null): boolean =>
  !/^(?:|0|no|false|none)$/.test((text ?? '').trim().toLowerCase())

/** A flag of a query that must be one, as Go's `ParseBool` takes it. */
export function flagOf(request: ApiRequest, name: string): boolean {
  return parsed(request, name, (text) => `invalid value for ${name}: ${text}`)
}

/** The same where Docker tells the parser's words as well. */
export const parsedFlagOf = (request: ApiRequest, name: string): boolean =>
  parsed(
    request,
    name,
    (text) => `invalid value for ${name}: ${text}: strconv.ParseBool: parsing "${text}": invalid syntax`,
  )

function parsed(request: ApiRequest, name: string, refusal: (text: string) => string): boolean {
  const text = request.query.get(name) ?? ''
  if (!/^(|0|1|[tf]|[TF]|true|false|TRUE|FALSE|True|False)$/.test(text))
    throw new MureError('invalid', refusal(text))
  return /^[1tT]/.test(text)
}

/** The body of a request that must have one. */
export async function bodyOf(request: ApiRequest): Promise<unknown> {
  const body = await request.json()
  if (body === undefined) throw new MureError('invalid', 'invalid JSON: got EOF while reading request body')
  return body
}

/** Templates came with API version 1.37. */
export function refuseTemplating(
  kind: 'secret' | 'config',
  { templating }: { readonly templating?: unknown },
  { version }: ApiRequest,
): void {
  if (templating === undefined || !isOlder(version, '1.37')) return
  throw new MureError(
    'invalid',
    `${kind} templating is not supported on the specified API version: ${version}`,
  )
}
