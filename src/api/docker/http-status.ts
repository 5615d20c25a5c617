import { toMureError } from '#lib/errors.ts'
import type { ErrorCode } from '#lib/errors.ts'

/**
 * Docker's statuses: moby's errdefs, and for what swarmkit refuses its gRPC codes.
 * @see moby daemon/server/httpstatus/status.go
 */
const statusOf: Record<ErrorCode, number> = {
  invalid: 400,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  precondition: 400,
  unauthenticated: 401,
  forbidden: 403,
  exhausted: 500,
  unavailable: 503,
  timeout: 500,
  cancelled: 500,
  unsupported: 501,
  internal: 500,
}

/** Any error as Docker's `{ message }` with its status. `details.status` and the engine's own status win. */
export function toHttpError(thrown: unknown): { status: number; message: string } {
  const error = toMureError(thrown)
  const own = error.details?.['status'] ?? error.details?.['engineStatus']
  return { status: typeof own === 'number' ? own : statusOf[error.code], message: error.message }
}
