import type { ObjectEvent } from '#model/change.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { isShown } from './rows.ts'
import type { EventRow } from '../wire.ts'

/** Task states on the way to running are shown by the tile; they are no news. */
const toldStates = new Set(['running', 'complete', 'failed', 'rejected', 'shutdown', 'orphaned'])

/** What is worth telling of a change; undefined: nothing. */
export function eventOf({ before, after, kind }: ObjectEvent, now: number): EventRow | undefined {
  const object = after ?? before
  if (object === undefined || !isShown(kind)) return undefined
  if (object.kind === 'task') return taskEvent(before as Task | undefined, after as Task | undefined, now)
  const action = before === undefined ? 'create' : after === undefined ? 'remove' : 'update'
  const text = action === 'update' ? differenceOf(before, after) : ''
  if (action === 'update' && text === '') return undefined
  const name =
    object.kind === 'node' ? (object.status.description?.hostname ?? object.meta.id) : object.meta.name
  const place = object.kind === 'node' ? { node: object.meta.id } : {}
  const owner = object.kind === 'service' ? { service: object.meta.id } : {}
  return { at: now, kind, id: object.meta.id, name, action, text, ...owner, ...place }
}

function taskEvent(before: Task | undefined, after: Task | undefined, now: number): EventRow | undefined {
  if (after === undefined || after.spec.runtime === 'attachment') return undefined
  const { state, error, message } = after.status
  const isBlocked = state === 'pending' && error !== '' && before?.status.error !== error
  const isNews = toldStates.has(state) && before?.status.state !== state
  if (!isBlocked && !isNews) return undefined
  return {
    at: now,
    kind: 'task',
    id: after.meta.id,
    name: `${after.serviceName}.${after.slot > 0 ? String(after.slot) : after.nodeId.slice(0, 8)}`,
    action: state,
    text: error === '' ? message : error,
    service: after.serviceId,
    ...(after.nodeId === '' ? {} : { node: after.nodeId }),
  }
}

function differenceOf(before: ObjectEvent['before'], after: ObjectEvent['after']): string {
  if (before?.kind === 'node' && after?.kind === 'node') return changed(nodeFacts(before), nodeFacts(after))
  if (before?.kind === 'service' && after?.kind === 'service')
    return changed(serviceFacts(before), serviceFacts(after))
  return ''
}

type Facts = Readonly<Record<string, string>>

const nodeFacts = ({ spec, status }: Node): Facts => ({
  availability: spec.availability,
  role: spec.role,
  state: status.state,
  leader: status.manager?.leader === true ? 'yes' : 'no',
  reachability: status.manager?.reachability ?? '',
})

const serviceFacts = ({ meta, spec, status }: Service): Facts => ({
  image: spec.template.containers[0]?.image ?? '',
  replicas: spec.mode.type === 'replicated' ? String(spec.mode.replicas ?? 1) : '',
  update: status.update?.state ?? '',
  generation: String(meta.generation),
})

function changed(before: Facts, after: Facts): string {
  return Object.entries(after)
    .filter(([name, value]) => value !== before[name] && value !== '')
    .map(([name, value]) => `${name}: ${before[name] === '' ? '' : `${before[name] ?? ''} → `}${value}`)
    .join(', ')
}
