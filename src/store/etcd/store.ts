import { errorText, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { Wait } from '#lib/wait.ts'
import type { Change } from '#model/change.ts'
import type { Kind, ObjectsByKind, StoredObject } from '#model/objects.ts'
import type { ValueCodec } from '../codec.ts'
import type { Leadership, Store, TransactOptions, WatchBatch, WatchListener } from '../contract.ts'
import type { EtcdClient } from './client.ts'
import { campaign } from './election.ts'
import { leaderKey, objectKey, objectsPrefix, parseObjectKey, prefixEnd } from './keys.ts'
import type { KeyValue, RangeResponse } from './messages.ts'
import { decode, toTransaction } from './transaction.ts'
import type { EtcdTransaction } from './transaction.ts'
import { readAgain, writeOnce } from './attempts.ts'
import { OwnWrites } from './own-writes.ts'
import { followChanges } from './watch.ts'
import type { ChangedKey } from './watch.ts'

/** The member runs with `--max-txn-ops` above this; a caller with more splits its work. */
export const maxOperations = 10_000
/** One page of a listing: large enough to be quick, small enough not to stall the member. */
const pageSize = 5_000
/** Without a quorum a listing is never answered. */
const firstPageTimeoutMs = 2_000
/** How often a quiet manager asks whether the store still has a quorum. */
const contactEveryMs = 1_000
const contactTimeoutMs = 2_000

/** The store on one etcd member. @see ../contract.ts */
export class EtcdStore implements Store {
  readonly #client: EtcdClient
  readonly #codec: ValueCodec
  readonly #logger: Logger
  readonly #own = new OwnWrites()
  #watches = 0

  constructor(parts: { client: EtcdClient; codec: ValueCodec; logger: Logger }) {
    this.#client = parts.client
    this.#codec = parts.codec
    this.#logger = parts.logger
  }

  async transact(changes: readonly Change[], options: TransactOptions): Promise<{ revision: number }> {
    const transaction = toTransaction(changes, this.#codec, options.fence)
    if (transaction.operations.length > maxOperations)
      throw new MureError(
        'invalid',
        `a transaction of ${String(transaction.operations.length)} operations is too large`,
      )
    if (this.#watches > 0) this.#own.sent(transaction.puts)
    try {
      return await writeOnce(this.#client, transaction, options.wait, () =>
        this.#explain(transaction, options.wait),
      )
    } catch (error) {
      this.#own.failed(transaction.puts)
      throw error
    }
  }

  async get<K extends Kind>(
    kind: K,
    id: string,
    options: { wait: Wait; revision?: number },
  ): Promise<ObjectsByKind[K] | undefined> {
    const key = objectKey(kind, id)
    try {
      const answer = await readAgain<RangeResponse>(
        this.#client,
        { key: Buffer.from(key), revision: options.revision ?? 0 },
        options.wait,
      )
      const kv = answer.kvs[0]
      return kv === undefined ? undefined : (this.#decode(kv) as ObjectsByKind[K] | undefined)
    } catch (error) {
      if (error instanceof MureError && error.details?.['compacted'] === true) return undefined
      throw error
    }
  }

  async currentRevision(wait: Wait): Promise<number> {
    const answer = await readAgain<RangeResponse>(
      this.#client,
      { key: Buffer.from(leaderKey), count_only: true },
      wait,
    )
    return Number(answer.header.revision)
  }

  async watch(listener: WatchListener, signal: AbortSignal): Promise<void> {
    this.#watches += 1
    let revision = await this.#list(listener, signal)
    const run = async () => {
      let failures = 0
      while (!signal.aborted) {
        try {
          const end = await followChanges(this.#client, revision + 1, signal, {
            batch: (at, kvs) => {
              listener.batch({ revision: at, entries: kvs.flatMap((changed) => this.#entryOf(changed)) })
              // Not before: what could not be read or taken comes again, and is never passed over.
              revision = at
              failures = 0
            },
          })
          if (end === 'compacted') {
            this.#own.clear()
            revision = await this.#list(listener, signal)
          }
        } catch (error) {
          if (signal.aborted) return
          listener.contact(false)
          if (failures === 0)
            this.#logger.warn('the watch of the store was lost; trying again', { error: errorText(error) })
          failures += 1
          await sleep(200, signal).catch(() => undefined)
        }
      }
    }
    Promise.all([run(), this.#watchContact(listener, signal)]).catch((error: unknown) => {
      this.#logger.error('the watch of the store ended', { error })
    })
  }

  campaign(candidate: string, signal: AbortSignal): Promise<Leadership> {
    return campaign(this.#client, candidate, signal, this.#logger)
  }

  async leader(wait: Wait): Promise<string> {
    const answer = await this.#client.call<RangeResponse>(
      'KV',
      'Range',
      { key: Buffer.from(leaderKey), serializable: true },
      wait,
    )
    return answer.kvs[0]?.value.toString() ?? ''
  }

  /** Hands over everything at one revision, page by page. Repeats until the store answers. */
  async #list(listener: WatchListener, signal: AbortSignal): Promise<number> {
    for (let attempt = 0; ; attempt++) {
      // A member without a quorum still has what it last knew, and its manager shows that, as stale.
      const isStale = attempt % 2 === 1
      try {
        using wait = startWait({ signal, what: 'the store to list its objects' })
        const objects: StoredObject[] = []
        let revision = 0
        let from = Buffer.from(objectsPrefix)
        for (;;) {
          const page = await this.#client.call<RangeResponse>(
            'KV',
            'Range',
            {
              key: from,
              range_end: prefixEnd(objectsPrefix),
              limit: pageSize,
              revision,
              serializable: isStale,
            },
            wait,
            objects.length === 0 && attempt === 0 ? firstPageTimeoutMs : 30_000,
          )
          if (revision === 0) revision = Number(page.header.revision)
          for (const kv of page.kvs) {
            const object = this.#decode(kv)
            if (object !== undefined) objects.push(object)
          }
          const last = page.kvs.at(-1)
          if (!page.more || last === undefined) break
          from = Buffer.concat([last.key, Buffer.from([0])])
        }
        if (isStale && objects.length === 0)
          throw new MureError('unavailable', 'this member of the store has nothing yet')
        listener.snapshot(objects, revision)
        listener.contact(!isStale)
        return revision
      } catch (error) {
        if (signal.aborted) throw error
        this.#logger.warn('the store does not list its objects yet', { error: errorText(error) })
        await sleep(300, signal)
      }
    }
  }

  /** Without this a manager that is cut off from its peers would not notice: its own member still answers stale reads. */
  async #watchContact(listener: WatchListener, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(contactEveryMs, signal).catch(() => undefined)
      if (signal.aborted) return
      using wait = startWait({ timeoutMs: contactTimeoutMs, signal, what: 'the store to have a quorum' })
      const current = await this.currentRevision(wait).then(
        () => true,
        () => false,
      )
      if (!signal.aborted) listener.contact(current)
    }
  }

  async #explain(transaction: EtcdTransaction, wait: Wait): Promise<MureError> {
    for (let from = 0; from < transaction.guards.length; from += 500) {
      const some = transaction.guards.slice(from, from + 500)
      const answer = await this.#client.call<{ responses: { response_range: RangeResponse }[] }>(
        'KV',
        'Txn',
        {
          compare: [],
          success: some.map(({ compare }) => ({ request_range: { key: compare.key, keys_only: true } })),
          failure: [],
        },
        wait,
      )
      for (const [index, guard] of some.entries()) {
        const kv = answer.responses[index]?.response_range.kvs[0]
        const actual = Number((guard.compare.target === 1 ? kv?.create_revision : kv?.mod_revision) ?? 0)
        if (actual !== (guard.compare.create_revision ?? guard.compare.mod_revision)) return guard.refusal()
      }
    }
    return new MureError('conflict', 'update out of sequence')
  }

  #entryOf({ kv, deleted }: ChangedKey): WatchBatch['entries'] {
    const key = kv.key.toString()
    const parsed = parseObjectKey(key)
    if (parsed === undefined) return []
    if (deleted) return [{ ...parsed, object: undefined }]
    const version = Number(kv.mod_revision)
    const object = this.#own.take(key, kv.value, version) ?? decode(kv.value, key, version, this.#codec)
    return [{ ...parsed, object }]
  }

  #decode(kv: KeyValue): StoredObject | undefined {
    const key = kv.key.toString()
    if (parseObjectKey(key) === undefined) return undefined
    return decode(kv.value, key, Number(kv.mod_revision), this.#codec)
  }
}
