import type { Engine } from '#engine/engine.ts'
import { isMureError } from '#lib/errors.ts'
import type { Clock } from '#lib/clock.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { connectRpc } from '#rpc/client.ts'
import type { AttachAnswer, AttachRequest, ReleaseRequest } from '#rpc/messages.ts'
import type { TaskId } from '#model/id.ts'
import type { Credentials } from './credentials.ts'

interface Where {
  readonly credentials: Credentials
  /** Managers in the order they are tried. */
  readonly managers: readonly string[]
  readonly clock: Clock
}

const attemptTimeoutMs = 8_000

/** A place for a plain container of this node; undefined where there is no such network. */
export async function askForPlace(
  where: Where,
  request: AttachRequest,
  wait: Wait,
): Promise<AttachAnswer | undefined> {
  try {
    return await askManagers<AttachRequest, AttachAnswer>(where, '/v1/attachments', request, wait)
  } catch (error) {
    if (isMureError(error, 'not-found')) return undefined
    throw error
  }
}

/** A network of the engine alone needs no manager, and goes on without one. */
export async function isEnginesOwn(engine: Engine, network: string): Promise<boolean> {
  const known = await engine.listNetworks([])
  return known.some(
    ({ Id, Name, Labels }) =>
      (Name === network || Id === network) && Labels?.['mure.network.id'] === undefined,
  )
}

export async function giveBackPlace(where: Where, taskId: string): Promise<void> {
  using wait = startWait({ timeoutMs: attemptTimeoutMs, what: 'a manager to take an address back' })
  await askManagers<ReleaseRequest, object>(
    where,
    '/v1/attachments/release',
    { taskId: taskId as TaskId },
    wait,
  )
}

async function askManagers<I, O>(where: Where, path: string, body: I, wait: Wait): Promise<O> {
  let failure: unknown
  for (const address of where.managers) {
    try {
      using attempt = startWait({
        timeoutMs: attemptTimeoutMs,
        signal: wait.signal,
        what: `${address} to answer`,
      })
      const { identity } = where.credentials
      await using client = await connectRpc(
        address,
        { identity, trust: identity.trust, clock: where.clock },
        attempt,
      )
      return await client.call<I, O>('POST', path, body, attempt)
    } catch (error) {
      // Said by a manager that knows; the others know no better.
      if (isMureError(error, 'not-found', 'forbidden', 'invalid')) throw error
      failure = error
    }
  }
  throw failure
}
