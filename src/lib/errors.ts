/**
 * The closed set of failures that cross a layer. Each facade has one table from these codes to its
 * own status numbers; nothing else decides on a status.
 *
 * - `invalid`: the request can never succeed as written
 * - `not-found`, `already-exists`: about the named object
 * - `conflict`: the object changed since it was read ("update out of sequence")
 * - `precondition`: the request is fine but the state forbids it (in use, last manager …)
 * - `unauthenticated`, `forbidden`: who is asking
 * - `exhausted`: a pool or limit has run out
 * - `unavailable`: this node cannot answer now, or is not the kind of node that can
 * - `timeout`, `cancelled`: a wait ended early
 * - `unsupported`: known, and not offered
 * - `internal`: our own defect
 */
export type ErrorCode =
  | 'invalid'
  | 'not-found'
  | 'already-exists'
  | 'conflict'
  | 'precondition'
  | 'unauthenticated'
  | 'forbidden'
  | 'exhausted'
  | 'unavailable'
  | 'timeout'
  | 'cancelled'
  | 'unsupported'
  | 'internal'

/** The only error that crosses a layer. The message says what is wrong, with which value, and what to do. */
export class MureError extends Error {
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>> | undefined

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: Readonly<Record<string, unknown>>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'MureError'
    this.code = code
    this.details = options.details
  }
}

export function isMureError(error: unknown, ...codes: ErrorCode[]): error is MureError {
  return error instanceof MureError && (codes.length === 0 || codes.includes(error.code))
}

/** Any thrown value as an Error; what is not ours becomes `internal` with the original as its cause. */
export function toMureError(error: unknown): MureError {
  if (error instanceof MureError) return error
  if (error instanceof Error && error.name === 'AbortError')
    return new MureError('cancelled', error.message, { cause: error })
  return new MureError('internal', errorText(error), { cause: error })
}

/** The message of any thrown value, for people. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** The operating system's code of an error (`ENOENT`, `ECONNREFUSED` …), if it has one. */
export function systemCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
