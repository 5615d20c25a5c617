import type { Clock, Instant } from '#lib/clock.ts'
import { isMureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import type { Change, ObjectEvent } from '#model/change.ts'
import type { Leadership, Store } from '#store/contract.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { PortPool } from './allocator/allocate.ts'
import { planTurn } from './turn.ts'

export interface LoopParts {
  readonly store: Store
  readonly mirror: Mirror
  readonly leadership: Leadership
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Changes in one transaction. A service's own are never torn apart unless it alone has more. */
const maxChanges = 2_000
const writeTimeoutMs = 10_000

/**
 * The leader's pipeline: services that something happened to are looked at again, their tasks are made, allocated
 * and scheduled in one turn, and each turn is written before the next begins. Ends when the leadership does.
 */
export async function runServiceLoop(parts: LoopParts): Promise<void> {
  const { mirror, leadership, clock, logger } = parts
  const dirty = new Set<string>()
  const pending = new Set<string>()
  const wakeAt = new Map<string, Instant>()
  const ports = new PortPool(mirror.list('service'))
  let placesChanged = true
  let wake: (() => void) | undefined
  const everything = () => {
    for (const service of mirror.list('service')) dirty.add(service.meta.id)
    for (const task of mirror.list('task')) {
      if (task.serviceId !== '') dirty.add(task.serviceId)
      if (isPending(task.status.state)) pending.add(task.meta.id)
    }
  }
  everything()
  const hear = (events: readonly ObjectEvent[]) => {
    for (const event of events) {
      if (event.kind === 'task') {
        const { before, after } = event as ObjectEvent<'task'>
        const task = after ?? before
        if (task === undefined) continue
        if (task.serviceId !== '') dirty.add(task.serviceId)
        if (after !== undefined && isPending(after.status.state)) pending.add(task.meta.id)
        else pending.delete(task.meta.id)
        placesChanged ||= after === undefined || before?.status.state !== after.status.state
      } else if (event.kind === 'service') {
        const { before, after } = event as ObjectEvent<'service'>
        if (before !== undefined) ports.release(before)
        if (after !== undefined) ports.take(after)
        const id = (after ?? before)?.meta.id
        if (id !== undefined) dirty.add(id)
      } else if (event.kind === 'node' || event.kind === 'cluster') {
        if (event.kind === 'node' && !concernsPlacement(event as ObjectEvent<'node'>)) continue
        placesChanged = true
        everything()
      }
    }
    wake?.()
  }
  using _subscription = mirror.subscribe(hear)
  const stopped = () => wake?.()
  leadership.signal.addEventListener('abort', stopped)
  while (!leadership.signal.aborted) {
    const now = clock.now()
    for (const [id, at] of wakeAt) {
      if (at > now) continue
      wakeAt.delete(id)
      dirty.add(id)
    }
    if (dirty.size === 0 && !(placesChanged && pending.size > 0)) {
      const next = Math.min(...wakeAt.values())
      await idle(Number.isFinite(next) ? next - now : undefined, (resolve) => (wake = resolve))
      wake = undefined
      continue
    }
    const keys = [...dirty]
    dirty.clear()
    placesChanged = false
    const turn = planTurn(mirror, keys, pending, ports, { now, random: parts.random })
    for (const [id, at] of turn.wakeAt) wakeAt.set(id, at)
    for (const { kind, id, text } of turn.because) logger.debug(text, { kind, id })
    if (turn.changes.length === 0) continue
    try {
      await write(parts, turn.changes)
    } catch (error) {
      for (const key of keys) dirty.add(key)
      placesChanged = true
      if (leadership.signal.aborted || isMureError(error, 'precondition')) break
      if (!isMureError(error, 'conflict', 'already-exists', 'unavailable', 'timeout')) throw error
      if (!isMureError(error, 'conflict')) logger.warn('a turn could not be written yet', { error })
      await catchUp(parts)
    }
  }
  leadership.signal.removeEventListener('abort', stopped)
}

const isPending = (state: string): boolean => state === 'new' || state === 'pending'

/** Heartbeats and sessions change a node's record and concern no task. */
function concernsPlacement({ before, after }: ObjectEvent<'node'>): boolean {
  if (before === undefined || after === undefined) return true
  return (
    before.meta.generation !== after.meta.generation ||
    before.status.state !== after.status.state ||
    before.status.role !== after.status.role ||
    JSON.stringify(before.status.description) !== JSON.stringify(after.status.description)
  )
}

async function write(parts: LoopParts, changes: readonly Change[]): Promise<void> {
  for (let from = 0; from < changes.length; from += maxChanges) {
    using wait = startWait({
      timeoutMs: writeTimeoutMs,
      signal: parts.leadership.signal,
      what: 'a turn to be stored',
    })
    const { revision } = await parts.store.transact(changes.slice(from, from + maxChanges), {
      wait,
      fence: parts.leadership.fence,
    })
    await parts.mirror.reached(revision, wait)
  }
}

/** Somebody else was quicker: decide again once the mirror knows. */
async function catchUp(parts: LoopParts): Promise<void> {
  using wait = startWait({
    timeoutMs: writeTimeoutMs,
    signal: parts.leadership.signal,
    what: 'the newest state',
  })
  try {
    await parts.mirror.reached(await parts.store.currentRevision(wait), wait)
  } catch (error) {
    if (!parts.leadership.signal.aborted) parts.logger.warn('the store does not answer', { error })
  }
}

function idle(ms: number | undefined, arm: (wake: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === undefined ? undefined : setTimeout(resolve, Math.max(1, Math.min(ms, 2 ** 31 - 1)))
    arm(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}
