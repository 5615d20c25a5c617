import { engineStatus } from '#engine/transport.ts'
import { errorText, isMureError } from '#lib/errors.ts'

/** Answers of an engine that is going down, or has lost its containerd for now. */
const passing =
  /context canceled|is shutting down|containerd\.sock|ttrpc: closed|code = Unavailable|transport is closing|already in progress/

/**
 * Whether it was refused for good, and the task with it. Everything else may pass: an engine that is silent, dead or
 * restarting has said nothing about the task.
 */
export function isRefusal(error: unknown): boolean {
  const status = engineStatus(error)
  if (status !== undefined) return status !== 503 && !passing.test(errorText(error))
  return isMureError(error, 'invalid', 'unsupported', 'not-found', 'precondition', 'exhausted')
}
