import { errorText, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Leadership } from '../contract.ts'
import type { EtcdClient } from './client.ts'
import { leaderKey } from './keys.ts'
import type { RangeResponse, ResponseHeader } from './messages.ts'

/**
 * Seconds a dead leader's lease lives on. Only the loops wait for it: writes of users need etcd's quorum alone.
 * etcd raises anything below one and a half election timeouts.
 */
const leaseSeconds = 3
const renewEveryMs = 1_000
const retryMs = 300

/** Waits until nobody leads, then leads: the key exists as long as the lease, and its creation is the fence. */
export async function campaign(
  client: EtcdClient,
  candidate: string,
  signal: AbortSignal,
  logger: Logger,
): Promise<Leadership> {
  let failing = false
  for (;;) {
    signal.throwIfAborted()
    try {
      const won = await tryOnce(client, candidate, signal, logger)
      if (won !== undefined) return won
      failing = false
    } catch (error) {
      if (signal.aborted) throw error
      if (!failing) logger.warn('the election does not go on yet', { error: errorText(error) })
      failing = true
    }
    await sleep(retryMs, signal)
  }
}

async function tryOnce(
  client: EtcdClient,
  candidate: string,
  signal: AbortSignal,
  logger: Logger,
): Promise<Leadership | undefined> {
  using wait = startWait({ timeoutMs: 5_000, signal, what: 'the election' })
  const key = Buffer.from(leaderKey)
  const present = await client.call<RangeResponse>('KV', 'Range', { key, keys_only: true }, wait)
  if (present.kvs.length > 0) return undefined
  const { ID: lease } = await client.call<{ ID: string }>(
    'Lease',
    'LeaseGrant',
    { TTL: leaseSeconds, ID: 0 },
    wait,
  )
  const answer = await client.call<{ header: ResponseHeader; succeeded: boolean }>(
    'KV',
    'Txn',
    {
      compare: [{ result: 0, target: 1, key, create_revision: 0 }],
      success: [{ request_put: { key, value: Buffer.from(candidate), lease } }],
      failure: [],
    },
    wait,
  )
  if (!answer.succeeded) {
    await client.call('Lease', 'LeaseRevoke', { ID: lease }, wait)
    return undefined
  }
  return new LeaseLeadership(client, lease, Number(answer.header.revision), signal, logger)
}

class LeaseLeadership implements Leadership {
  readonly fence: { readonly key: string; readonly createRevision: number }
  readonly #client: EtcdClient
  readonly #lease: string
  readonly #lost = new AbortController()
  readonly #stop: () => void

  constructor(
    client: EtcdClient,
    lease: string,
    createRevision: number,
    signal: AbortSignal,
    logger: Logger,
  ) {
    this.#client = client
    this.#lease = lease
    this.fence = { key: leaderKey, createRevision }
    let renewedAt = performance.now()
    const stream = client.keepAlive()
    const lose = (why: string) => {
      if (this.#lost.signal.aborted) return
      logger.warn('the leadership is lost', { why })
      this.#lost.abort(new MureError('precondition', `the leadership is lost: ${why}`))
      this.#stop()
    }
    stream.on('data', (answer: { TTL: string }) => {
      if (Number(answer.TTL) <= 0) lose('the lease has run out')
      else renewedAt = performance.now()
    })
    stream.on('error', (error: Error) => {
      lose(error.message)
    })
    stream.on('end', () => {
      lose('the stream of renewals ended')
    })
    const timer = setInterval(() => {
      if (performance.now() - renewedAt > leaseSeconds * 1_000)
        lose('the store did not renew the lease in time')
      else stream.write({ ID: lease })
    }, renewEveryMs)
    const onAbort = () => {
      this.#lost.abort(signal.reason)
      this.#stop()
    }
    this.#stop = () => {
      clearInterval(timer)
      stream.cancel()
      signal.removeEventListener('abort', onAbort)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    stream.write({ ID: lease })
  }

  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** Gives the leadership up, so that the next one need not wait for the lease to run out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop()
    this.#lost.abort(new MureError('cancelled', 'the leadership was given up'))
    using wait = startWait({ timeoutMs: 2_000, what: 'the leadership to be given up' })
    // If the store cannot be asked now, the lease runs out by itself.
    await this.#client.call('Lease', 'LeaseRevoke', { ID: this.#lease }, wait, 2_000).catch(() => undefined)
  }
}
