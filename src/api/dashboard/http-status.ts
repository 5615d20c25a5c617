import { toMureError } from '#lib/errors.ts'
import type { ErrorCode } from '#lib/errors.ts'

const statusOf: Record<ErrorCode, number> = {
  invalid: 400,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  precondition: 409,
  unauthenticated: 401,
  forbidden: 403,
  exhausted: 503,
  unavailable: 503,
  timeout: 504,
  cancelled: 503,
  unsupported: 501,
  internal: 500,
}

export interface HttpError {
  readonly status: number
  readonly message: string
  /** Seconds. */
  readonly retryAfter?: number
}

/** Any error as the page is told of it. */
export function toHttpError(thrown: unknown): HttpError {
  const error = toMureError(thrown)
  const own = error.details?.['status'] ?? error.details?.['engineStatus']
  const retryAfter = error.details?.['retryAfter']
  return {
    status: typeof own === 'number' ? own : statusOf[error.code],
    message: plainText(error.message),
    ...(typeof retryAfter === 'number' ? { retryAfter } : {}),
  }
}

/** Without the words that Docker's clients are used to before a sentence. */
const plainText = (text: string): string => text.replace(/^rpc error: code = \w+ desc = /, '')
