import { isMureError } from '#lib/errors.ts'
import type { MureError } from '#lib/errors.ts'
import { sleep } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { EtcdClient } from './client.ts'
import type { RangeResponse, ResponseHeader } from './messages.ts'
import type { EtcdTransaction } from './transaction.ts'

/**
 * How long one attempt may take. A request that was on its way to a leader that died is lost without a word, and
 * etcd itself would wait seven seconds for it; asked again, the new leader answers at once.
 */
const attemptMs = [1_000, 1_000, 2_000, 3_000]
const pauseMs = 50

const timeoutOf = (attempt: number): number => attemptMs[Math.min(attempt, attemptMs.length - 1)] ?? 3_000

const isLost = (error: unknown): error is MureError => isMureError(error, 'unavailable')

/** A read, asked again while the store changes its leader. */
export async function readAgain<T>(client: EtcdClient, request: object, wait: Wait): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await client.call<T>('KV', 'Range', request, wait, timeoutOf(attempt))
    } catch (error) {
      if (!isLost(error) || attempt >= attemptMs.length - 1) throw error
      await sleep(pauseMs, wait.signal)
    }
  }
}

/**
 * A transaction that takes effect once, though it may be sent more than once. Its guards refuse a second effect;
 * and since every value is sealed with a nonce of its own, a stored value that equals ours to the byte proves that
 * an attempt whose answer was lost did happen.
 */
export async function writeOnce(
  client: EtcdClient,
  transaction: EtcdTransaction,
  wait: Wait,
  explain: () => Promise<MureError>,
): Promise<{ revision: number }> {
  const request = {
    compare: transaction.guards.map((guard) => guard.compare),
    success: transaction.operations,
    failure: [],
  }
  let lost = false
  for (let attempt = 0; ; attempt++) {
    try {
      const answer = await client.call<{ header: ResponseHeader; succeeded: boolean }>(
        'KV',
        'Txn',
        request,
        wait,
        timeoutOf(attempt),
      )
      if (answer.succeeded) return { revision: Number(answer.header.revision) }
      const landed = lost ? await landedAt(client, transaction, wait) : undefined
      if (landed !== undefined) return { revision: landed }
      throw await explain()
    } catch (error) {
      if (!isLost(error) || attempt >= attemptMs.length - 1) throw error
      lost = true
      await sleep(pauseMs, wait.signal)
    }
  }
}

/** The revision at which an earlier attempt took effect, or undefined if none has. */
async function landedAt(
  client: EtcdClient,
  { operations }: EtcdTransaction,
  wait: Wait,
): Promise<number | undefined> {
  for (const operation of operations) {
    if (!('request_put' in operation)) continue
    const { key, value } = operation.request_put
    const answer = await readAgain<RangeResponse>(client, { key }, wait)
    const kv = answer.kvs[0]
    return kv !== undefined && kv.value.equals(value) ? Number(kv.mod_revision) : undefined
  }
  // Only removals: what is gone is gone.
  for (const operation of operations) {
    if (!('request_delete_range' in operation)) continue
    const answer = await readAgain<RangeResponse>(client, { key: operation.request_delete_range.key }, wait)
    return answer.kvs.length === 0 ? Number(answer.header.revision) : undefined
  }
  return undefined
}
