import type { ObjectEvent } from '#model/change.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import type { DockerEvent } from './source.ts'

/** Kinds whose changes Docker tells of. */
const told = new Set(['service', 'node', 'secret', 'config', 'network'])

/**
 * What Docker says of a change of an object, or nothing where it is none that people ask for.
 * @see moby daemon/events.go, logClusterEvent
 */
export function eventFromChange(change: ObjectEvent, nowMs: number): DockerEvent | undefined {
  const { kind, before, after } = change
  const object = after ?? before
  if (object === undefined || !told.has(kind)) return undefined
  const action = before === undefined ? 'create' : after === undefined ? 'remove' : 'update'
  const differences = action === 'update' ? differencesOf(change) : {}
  // A sign of life, or a service's address that was allocated, is no news.
  const isNews =
    before?.meta.generation !== after?.meta.generation ||
    Object.keys(differences).length > 0 ||
    hasBeenAllocated(change)
  if (action === 'update' && !isNews) return undefined
  return {
    Type: kind,
    Action: action,
    Actor: { ID: object.meta.id, Attributes: { name: nameOf(change), ...differences } },
    scope: 'swarm',
    time: Math.floor(nowMs / 1_000),
    timeNano: BigInt(nowMs) * 1_000_000n,
  }
}

/** Docker tells of a network twice: when it is there, and when it has what its hosts need to know. */
const hasBeenAllocated = ({ before, after }: ObjectEvent): boolean =>
  before?.kind === 'network' &&
  after?.kind === 'network' &&
  before.status.vxlanId === undefined &&
  after.status.vxlanId !== undefined

function nameOf({ before, after }: ObjectEvent): string {
  const object = after ?? before
  if (object?.kind === 'node') return object.status.description?.hostname ?? ''
  return object?.meta.name ?? ''
}

function differencesOf({ before, after }: ObjectEvent): Record<string, string> {
  if (before?.kind === 'node' && after?.kind === 'node') return changed(nodeFacts(before), nodeFacts(after))
  if (before?.kind === 'service' && after?.kind === 'service')
    return changed(serviceFacts(before, after), serviceFacts(after))
  return {}
}

type Facts = Readonly<Record<string, string | undefined>>

const nodeFacts = ({ spec, status }: Node): Facts => ({
  availability: spec.availability,
  role: spec.role,
  state: status.state,
  leader: status.manager === undefined ? undefined : String(status.manager.leader),
  reachability: status.manager?.reachability,
})

/** `after`: an update is told of as long as there is one, and not when it is forgotten. */
const serviceFacts = ({ spec, status }: Service, after?: Service): Facts => ({
  image: spec.template.containers[0]?.image,
  replicas: spec.mode.type === 'replicated' ? String(spec.mode.replicas ?? 1) : undefined,
  updatestate: after !== undefined && after.status.update === undefined ? undefined : status.update?.state,
})

function changed(before: Facts, after: Facts): Record<string, string> {
  const attributes: Record<string, string> = {}
  for (const [name, value] of Object.entries(after)) {
    if (value === before[name]) continue
    if (value !== undefined) attributes[`${name}.new`] = value
    if (before[name] !== undefined) attributes[`${name}.old`] = before[name]
  }
  return attributes
}
