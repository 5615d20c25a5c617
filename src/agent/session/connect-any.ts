import { isMureError, MureError } from '#lib/errors.ts'
import { startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { RpcClient } from '#rpc/transport.ts'

export interface ConnectAnyOptions {
  readonly connect: (address: string, wait: Wait) => Promise<RpcClient>
  /** The next is asked too when one has not answered for this long: a host that was cut off answers nothing at all. */
  readonly staggerMs: number
  /** For each address. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** A connection to the first of these that answers, asked in this order. All others are given up. */
export async function connectAny(
  addresses: readonly string[],
  options: ConnectAnyOptions,
): Promise<RpcClient> {
  const { signal, timeoutMs, staggerMs } = options
  const isOver = new AbortController()
  const failures: unknown[] = []
  const winner = Promise.withResolvers<RpcClient>()
  let next = 0
  let open = 0
  const attempt = async (address: string): Promise<void> => {
    using wait = startWait({
      timeoutMs,
      signal: AbortSignal.any([signal, isOver.signal]),
      what: `${address} to answer`,
    })
    const timer = setTimeout(askNext, staggerMs)
    try {
      const client = await options.connect(address, wait)
      if (isOver.signal.aborted) await client[Symbol.asyncDispose]()
      else {
        isOver.abort()
        winner.resolve(client)
      }
    } catch (error) {
      failures.push(error)
      askNext()
    } finally {
      clearTimeout(timer)
      open -= 1
      if (open === 0 && (next >= addresses.length || signal.aborted)) winner.reject(tellingOf(failures))
    }
  }
  const askNext = () => {
    const address = addresses[next]
    if (address === undefined || isOver.signal.aborted || signal.aborted) return
    next += 1
    open += 1
    attempt(address).catch((error: unknown) => {
      failures.push(error)
    })
  }
  askNext()
  if (open === 0) throw new MureError('unavailable', 'no manager is known')
  return winner.promise
}

/** What a manager says of us tells more than one that does not answer. */
function tellingOf(failures: readonly unknown[]): Error {
  const telling = failures.find((error) => isMureError(error, 'unauthenticated', 'forbidden')) ?? failures[0]
  return telling instanceof Error ? telling : new MureError('unavailable', 'no manager answered')
}
