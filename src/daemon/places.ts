import type { Agent } from '#agent/agent.ts'
import type { ContainerPlace, PlaceRequest } from '#api/backend.ts'
import type { Engine } from '#engine/engine.ts'
import { isMureError } from '#lib/errors.ts'
import type { Clock } from '#lib/clock.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import { connectRpc } from '#rpc/client.ts'
import type { AttachAnswer, AttachRequest, ReleaseRequest } from '#rpc/messages.ts'
import type { TaskId } from '#model/id.ts'
import type { Credentials } from './credentials.ts'

export interface Where {
  readonly credentials: Credentials
  /** Managers in the order they are tried. */
  readonly managers: readonly string[]
  readonly clock: Clock
}

const attemptTimeoutMs = 8_000

/**
 * A place for a plain container of this host on a network of the cluster, which the agent has made ready by then;
 * undefined where there is no such network, or the engine has one of its own under that name.
 */
export async function takePlace(
  where: Where,
  host: { readonly engine: Engine; readonly agent: Pick<Agent, 'prepareNetwork'> },
  request: PlaceRequest,
  wait: Wait,
): Promise<ContainerPlace | undefined> {
  if (await isEnginesOwn(host.engine, request.network)) return undefined
  const place = await askForPlace(where, request, wait)
  if (place === undefined) return undefined
  const { taskId, network } = place
  try {
    const prepared = await host.agent.prepareNetwork(network)
    if (prepared !== undefined) {
      const addresses = place.addresses.map((one) => one.split('/')[0] ?? '')
      return { taskId, networkId: network.meta.id, addresses, ...prepared }
    }
  } catch (error) {
    await giveBackPlace(where, taskId)
    throw error
  }
  await giveBackPlace(where, taskId)
  return undefined
}

async function askForPlace(
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
async function isEnginesOwn(engine: Engine, network: string): Promise<boolean> {
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
