import { MureError, toMureError } from '#lib/errors.ts'
import type { ErrorCode } from '#lib/errors.ts'

/** How an error travels: `{ code, message, details }` with a status that proxies and people understand. */
export interface WireError {
  readonly code: ErrorCode
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

const statusOf: Record<ErrorCode, number> = {
  invalid: 400,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  precondition: 412,
  unauthenticated: 401,
  forbidden: 403,
  exhausted: 429,
  unavailable: 503,
  timeout: 504,
  cancelled: 499,
  unsupported: 501,
  internal: 500,
}

export function toWire(thrown: unknown): { status: number; body: WireError } {
  const error = toMureError(thrown)
  return {
    status: statusOf[error.code],
    body: {
      code: error.code,
      message: error.message,
      ...(error.details === undefined ? {} : { details: error.details }),
    },
  }
}

export function isWireError(value: unknown): value is WireError {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    Object.hasOwn(statusOf, value.code) &&
    'message' in value &&
    typeof value.message === 'string'
  )
}

export function ofWire(wire: WireError): MureError {
  return new MureError(wire.code, wire.message, wire.details === undefined ? {} : { details: wire.details })
}

/** The error in an answer that is none of success. Who answers otherwise is not one of us. */
export function errorOfAnswer(address: string, status: number, text: string): MureError {
  try {
    const wire: unknown = JSON.parse(text)
    if (isWireError(wire)) return ofWire(wire)
  } catch {
    // Not ours; said below.
  }
  return new MureError('unavailable', `${address} is not a Mure manager: it answered ${String(status)}`)
}
