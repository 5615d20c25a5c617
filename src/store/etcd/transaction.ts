import { MureError } from '#lib/errors.ts'
import type { Change } from '#model/change.ts'
import { uniquelyNamed } from '#model/objects.ts'
import type { StoredObject } from '#model/objects.ts'
import type { TaskTemplate } from '#model/service.ts'
import type { ValueCodec } from '../codec.ts'
import type { Fence } from '../contract.ts'
import { nameKey, objectKey } from './keys.ts'
import type { Compare, RequestOp } from './messages.ts'

/** What a failed comparison means. */
export interface Guard {
  readonly compare: Compare
  /** Made by need: an error is dear, and hardly any is. */
  readonly refusal: () => MureError
}

export interface EtcdTransaction {
  readonly guards: readonly Guard[]
  readonly operations: readonly RequestOp[]
  /** The objects that it puts, by key, with their sealed values. */
  readonly puts: ReadonlyMap<string, { readonly value: Buffer; readonly object: StoredObject }>
}

/** Changes as one etcd transaction: each guarded by what must still be so. Pure. */
export function toTransaction(
  changes: readonly Change[],
  codec: ValueCodec,
  fence: Fence | undefined,
): EtcdTransaction {
  const guards: Guard[] = []
  const operations: RequestOp[] = []
  const puts = new Map<string, { value: Buffer; object: StoredObject }>()
  if (fence !== undefined) {
    guards.push({
      compare: createdAt(fence.key, fence.createRevision),
      refusal: () =>
        new MureError('precondition', 'the leadership has moved to another manager', {
          details: { fence: true },
        }),
    })
  }
  for (const change of changes) {
    if (change.op === 'remove') {
      guards.push({
        compare: modifiedAt(objectKey(change.kind, change.id), change.version),
        refusal: () => conflict(change.kind, change.id),
      })
      operations.push(removeKey(objectKey(change.kind, change.id)))
      if (uniquelyNamed.has(change.kind)) operations.push(removeKey(nameKey(change.kind, change.name)))
      continue
    }
    const { object } = change
    const key = objectKey(object.kind, object.meta.id)
    if (change.op === 'create') {
      guards.push({ compare: createdAt(key, 0), refusal: () => taken(object, `id ${object.meta.id}`) })
      if (uniquelyNamed.has(object.kind)) {
        const name = nameKey(object.kind, object.meta.name)
        guards.push({ compare: createdAt(name, 0), refusal: () => taken(object, object.meta.name) })
        operations.push(put(name, Buffer.from(object.meta.id)))
      }
    } else
      guards.push({
        compare: modifiedAt(key, object.meta.version),
        refusal: () => conflict(object.kind, object.meta.id),
      })
    const value = encode(object, key, codec)
    puts.set(key, { value, object })
    operations.push(put(key, value))
  }
  return { guards, operations, puts }
}

function encode(object: StoredObject, key: string, codec: ValueCodec): Buffer {
  // The version is etcd's own revision of the key; what is stored in the value would only be stale.
  const meta = { ...object.meta, version: 0 }
  if (object.kind !== 'task') return codec.seal(Buffer.from(JSON.stringify({ ...object, meta })), key)
  const { spec, ...rest } = object
  const head = JSON.stringify({ ...rest, meta }).slice(0, -1)
  return codec.seal(Buffer.from(`${head},"spec":${templateText(spec)}}`), key)
}

/** The tasks of a service share their template, which is most of them: it is written once. */
const templateTexts = new WeakMap<TaskTemplate, string>()

function templateText(template: TaskTemplate): string {
  let text = templateTexts.get(template)
  if (text === undefined) templateTexts.set(template, (text = JSON.stringify(template)))
  return text
}

export function decode(value: Buffer, key: string, version: number, codec: ValueCodec): StoredObject {
  const object = JSON.parse(codec.open(value, key).toString()) as { meta: { version: number } }
  object.meta.version = version
  return object as unknown as StoredObject
}

const put = (key: string, value: Buffer): RequestOp => ({ request_put: { key: Buffer.from(key), value } })
const removeKey = (key: string): RequestOp => ({ request_delete_range: { key: Buffer.from(key) } })
const createdAt = (key: string, revision: number): Compare => ({
  result: 0,
  target: 1,
  key: Buffer.from(key),
  create_revision: revision,
})
const modifiedAt = (key: string, revision: number): Compare => ({
  result: 0,
  target: 2,
  key: Buffer.from(key),
  mod_revision: revision,
})

const conflict = (kind: string, id: string) =>
  new MureError('conflict', 'update out of sequence', { details: { kind, id } })

const taken = (object: StoredObject, what: string) =>
  new MureError(
    'already-exists',
    `name conflicts with an existing object: ${object.kind} ${what} already exists`,
    {
      details: { kind: object.kind, id: object.meta.id, name: object.meta.name },
    },
  )
