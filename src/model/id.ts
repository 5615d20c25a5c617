import type { Random } from '#lib/random.ts'

declare const idBrand: unique symbol
type Id<Kind extends string> = string & { readonly [idBrand]: Kind }

export type ClusterId = Id<'cluster'>
export type NodeId = Id<'node'>
export type ServiceId = Id<'service'>
export type TaskId = Id<'task'>
export type EndpointId = Id<'endpoint'>
export type NetworkId = Id<'network'>
export type SecretId = Id<'secret'>
export type ConfigId = Id<'config'>
export type VolumeId = Id<'volume'>
export type EventId = Id<'event'>

export type ObjectId =
  ClusterId | NodeId | ServiceId | TaskId | EndpointId | NetworkId | SecretId | ConfigId | VolumeId | EventId

const idLength = 25
const alphabet = '0123456789abcdefghijklmnopqrstuvwxyz'

/** A new identifier of Docker's form: 25 characters of base 36, some 129 bits of chance. */
export function newId<T extends ObjectId>(random: Random): T {
  let id = ''
  for (let i = 0; i < idLength; i++) id += alphabet[random.below(36)] ?? '0'
  return id as T
}
