import { toMureError } from '#lib/errors.ts'
import type { ErrorCode } from '#lib/errors.ts'

/**
 * Docker's statuses. swarmkit's refusals come as gRPC codes, which moby maps so; an "update out of sequence"
 * is one of the errors it knows nothing about: 500.
 * @see https://docs.docker.com/reference/api/engine/
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
  cancelled: 499,
  unsupported: 501,
  internal: 500,
}

/** Any error as Docker's `{ message }` with its status. `details.status` and the engine's own status win. */
export function toHttpError(thrown: unknown): { status: number; message: string } {
  const error = toMureError(thrown)
  const own = error.details?.['status'] ?? error.details?.['engineStatus']
  return { status: typeof own === 'number' ? own : statusOf[error.code], message: error.message }
}
