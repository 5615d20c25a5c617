import { MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { View } from '#manager/control/control.ts'
import type { Kind, ObjectsByKind } from '#model/objects.ts'
import type { ApiRequest } from '../../http/request.ts'

const writeTimeoutMs = 30_000

export const waitOf = (request: ApiRequest): Wait & Disposable =>
  startWait({ timeoutMs: writeTimeoutMs, signal: request.signal, what: 'the cluster to take the change' })

export function present<K extends Kind>(view: View, kind: K, request: ApiRequest): ObjectsByKind[K] {
  const id = request.params['id'] ?? ''
  const object = view.get(kind, id)
  if (object === undefined) throw new MureError('not-found', `${kind} ${id} is not there (any more)`)
  return object
}

/** The body's members, each to be looked at before it is believed. */
export async function bodyOf(request: ApiRequest): Promise<Readonly<Record<string, unknown>>> {
  const body = await request.json()
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new MureError('invalid', 'the body is to be a JSON object')
  return body as Record<string, unknown>
}

export function textIn(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name]
  if (typeof value !== 'string' || value.trim() === '') throw new MureError('invalid', `"${name}" is missing`)
  return value.trim()
}

export function wholeNumberIn(body: Readonly<Record<string, unknown>>, name: string, most: number): number {
  const value = Number(body[name])
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new MureError('invalid', `"${name}" is a whole number from 0 to ${String(most)}`)
  return value
}

export function oneOf<T extends string>(
  body: Readonly<Record<string, unknown>>,
  name: string,
  choices: readonly T[],
): T {
  const value = choices.find((choice) => choice === body[name])
  if (value === undefined) throw new MureError('invalid', `"${name}" is one of ${choices.join(', ')}`)
  return value
}
