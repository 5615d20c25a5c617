import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import { effectiveRestart, effectiveUpdate } from '#model/defaults.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import { strategyOf } from '#model/scheduling.ts'
import type { SchedulingSettings } from '#model/scheduling.ts'
import { compareStates, isLive } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { isWanted, misplacement } from './orchestrator/service-view.ts'
import type { ServiceView } from './orchestrator/service-view.ts'
import type { View } from '#store/mirror/view.ts'
import { slotsByNumber } from './orchestrator/slots.ts'
import { isUnplaceable } from './orchestrator/unplaceable.ts'
import { upAt } from './orchestrator/update-status.ts'
import { ClusterNodes } from './scheduler/cluster-nodes.ts'
import { bestMove, Underway } from './scheduler/rebalance.ts'
import type { Move } from './scheduler/rebalance.ts'
import type { NodeInfo } from './scheduler/node-info.ts'

/** A node that came back may go again: tasks move there by themselves only after so long. */
export const settleMs = 10_000

/**
 * Why no task of the service is moved, whatever would be gained: it has nothing to spread, or its tasks cannot be in
 * two places at once.
 */
export function keepsItsPlaces(service: Service, settings: SchedulingSettings): string | undefined {
  const { mode, template, labels } = service.spec
  if (mode.type !== 'replicated') return 'only replicated services are moved'
  const strategy = strategyOf(labels, settings.strategy)
  if (strategy !== 'spread') return `its strategy is ${strategy}`
  if (effectiveRestart(template.restart).condition === 'none') return 'its restart policy is "none"'
  const keepsData = template.containers.some((container) =>
    (container.mounts ?? []).some((mount) => mount.type === 'volume' && isLocal(mount.volume?.driver?.name)),
  )
  return keepsData ? 'it keeps data in volumes of its hosts' : undefined
}

const isLocal = (driver = ''): boolean => driver === '' || driver === 'local'

export interface RebalanceView extends Pick<ServiceView, 'tasks' | 'node'> {
  readonly service: Service
  readonly infos: ReadonlyMap<string, NodeInfo>
  readonly underway: Underway
}

export interface Moves {
  readonly moves: readonly Move[]
  /** When to look again: a move has to be watched, or a node to settle. */
  readonly wakeAt?: Instant
  /** Nothing is under way and nothing is to gain. */
  readonly done: boolean
}

/**
 * The moves of one service that may begin now, within its update policy: so many at a time, with its delay between
 * them. A service in the middle of anything else waits until that is over. `byItself`: nobody asked for it, so that
 * nodes that have just come back are left alone.
 */
export function planMoves(view: RebalanceView, now: Instant, byItself: boolean): Moves {
  const { service, tasks, underway } = view
  // Who paused it has something to look at first, and may ask again.
  if (isPaused(service)) return { moves: [], done: true }
  const policy = effectiveUpdate(service.spec.update)
  const movable: Task[] = []
  let moving = 0
  const { update } = service.status
  let busy = update?.state === 'updating' || update?.state === 'rollback_started'
  let wakeAt: Instant | undefined
  const wake = (at: Instant) => {
    if (wakeAt === undefined || at < wakeAt) wakeAt = at
  }
  for (const { wanted } of slotsByNumber(tasks).values()) {
    const newest = wanted.at(-1)
    if (newest === undefined || wanted.every(isUnplaceable)) continue
    const isMove = newest.cause === 'rebalance'
    if (isMove && (wanted.length > 1 || compareStates(newest.status.state, 'running') < 0)) moving += 1
    else if (isMove && upAt(newest) + policy.delayMs > now) {
      moving += 1
      wake(instant(upAt(newest) + policy.delayMs))
    }
    if (wanted.length === 1 && isSettled(newest, view)) movable.push(newest)
    else if (!isMove) busy = true
  }
  if (busy) return { moves: [], done: false, ...(wakeAt === undefined ? {} : { wakeAt }) }
  const left = policy.parallelism === 0 ? Infinity : policy.parallelism - moving
  const suits = ({ node }: NodeInfo) => {
    if (!byItself || settledAt(node) <= now) return true
    if (node.status.state === 'ready') wake(settledAt(node))
    return false
  }
  const moves: Move[] = []
  const [like] = movable
  while (like !== undefined && moves.length < left) {
    const moved = new Set(moves.map((move) => move.task))
    const candidates = movable.filter((task) => !moved.has(task))
    const move = bestMove(candidates, view.infos.values(), { like, now, underway, suits })
    if (move === undefined) break
    moves.push(move)
    underway.add(move, true)
  }
  return {
    moves,
    done: moving === 0 && moves.length === 0,
    ...(wakeAt === undefined ? {} : { wakeAt }),
  }
}

const settledAt = ({ status }: Node): Instant => instant((status.session?.startedAt ?? 0) + settleMs)

const isPaused = ({ status }: Service): boolean => status.update?.state.endsWith('paused') === true

/** It runs, where it may. */
export const isSettled = (task: Task, view: Pick<ServiceView, 'node'> & { service: Service }): boolean =>
  task.status.state === 'running' &&
  task.desiredState === 'running' &&
  misplacement(task, {
    tasks: [],
    ...view,
    nodes: () => [],
    taskHistoryLimit: 0,
    drainOrder: 'start-first',
  }) === undefined

/** The moves that have begun: their tasks are on the new nodes, and on the old ones until the new ones run. */
export function movesUnderway(view: View, movers: Iterable<Task>): Underway {
  const underway = new Underway()
  for (const mover of movers) {
    if (mover.serviceId === '' || mover.nodeId === '') continue
    for (const old of view.tasksOfService(mover.serviceId))
      if (
        old !== mover &&
        old.slot === mover.slot &&
        old.nodeId !== '' &&
        isWanted(old) &&
        isLive(old.status.state)
      )
        underway.add(
          { task: mover, from: old.nodeId, to: mover.nodeId },
          compareStates(mover.status.state, 'assigned') < 0,
        )
  }
  return underway
}

/** All moves that a rebalance of these services would make, one after the other, on a copy of the sums. */
export function allMoves(view: View, settings: SchedulingSettings, now: Instant): Move[] {
  const nodes = new ClusterNodes(view.list('node'), view.list('task'))
  const services = [...view.list('service')].filter(
    (service) => keepsItsPlaces(service, settings) === undefined,
  )
  const movable = new Map(
    services.map((service) => [
      service,
      [...view.tasksOfService(service.meta.id)].filter((task) =>
        isSettled(task, { service, node: (id) => view.get('node', id) }),
      ),
    ]),
  )
  const moves: Move[] = []
  for (let before = -1; before < moves.length;) {
    before = moves.length
    for (const tasks of movable.values())
      for (;;) {
        const [like] = tasks
        const move = like && bestMove(tasks, nodes.infos.values(), { like, now, underway: new Underway() })
        if (move === undefined) break
        moves.push(move)
        const moved = { ...move.task, nodeId: move.to }
        nodes.putTask(moved)
        tasks.splice(tasks.indexOf(move.task), 1, moved)
      }
  }
  return moves
}
