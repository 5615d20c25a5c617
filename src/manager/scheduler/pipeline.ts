import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { SchedulingStrategy } from '#model/cluster.ts'
import type { NodeId } from '#model/id.ts'
import type { GenericResource } from '#model/resources.ts'
import { predecessorInTheWay, strategyOf } from '#model/scheduling.ts'
import type { Task } from '#model/task.ts'
import { countRefusals, refusal, sentence, testsFor } from './explain.ts'
import type { FilterTest, Refusals } from './explain.ts'
import { FitOrders } from './fit-orders.ts'
import type { Candidates } from './candidates.ts'
import { LeastLoaded } from './least-loaded.ts'
import type { LoadOrder } from './load-order.ts'
import { alikeKey } from './node-info.ts'
import type { NodeInfo } from './node-info.ts'
import { spreadOver } from './spread.ts'
import { strategies } from './strategies/strategies.ts'

export interface Placement {
  readonly task: Task
  readonly nodeId: NodeId
  /** Which pieces of the node's generic resources the task is given, where it reserves any. */
  readonly genericResources?: readonly GenericResource[]
}

export interface Unplaced {
  readonly task: Task
  /** What keeps it off which number of nodes, the most telling filter first. */
  readonly refusals: readonly Refusals[]
  /** In Swarm's words: "no suitable node (insufficient resources on 3 nodes)". */
  readonly reason: string
}

export interface ScheduleResult {
  readonly placed: readonly Placement[]
  readonly unplaced: readonly Unplaced[]
}

export interface ScheduleOptions {
  /** The cluster's; a service's label may say another. */
  readonly strategy: SchedulingStrategy
  readonly random: Random
  /** For how recent a failure is. */
  readonly now?: Instant
}

type Infos = ReadonlyMap<NodeId, NodeInfo>

/**
 * Finds a node for each task. Tasks of one service and generation are alike, so filters are asked of each node once
 * for all of them, and again only those that a placement changes, of the node that was just given one. `infos` is counted up as tasks are placed.
 *
 * 1. No placement is refused by a filter at the moment it is made, so nothing is booked twice.
 * 2. A task is left over only when every node is refused by some filter.
 * 3. The same tasks, nodes and chance give the same placements.
 */
export function schedule(tasks: readonly Task[], infos: Infos, options: ScheduleOptions): ScheduleResult {
  const placed: Placement[] = []
  const unplaced: Unplaced[] = []
  // Those that can go nowhere else are served first.
  for (const task of tasks) if (task.nodeId !== '') placePreassigned(task, infos, placed, unplaced)
  const free = tasks.filter((task) => task.nodeId === '')
  if (free.length > 0) {
    const nodes = [...infos.values()]
    const batch = { nodes, orders: new FitOrders(nodes), ...options }
    for (const group of Map.groupBy(free, groupKey).values()) scheduleGroup(group, batch, placed, unplaced)
  }
  return { placed, unplaced: unplaced.flatMap((left) => takeOver(left, infos, placed)) }
}

/**
 * A task that waits for its predecessor to stop may be made ready in that one's place, if only what the predecessor
 * holds (its port, its resources) keeps it off. One that would start beside its predecessor is told that it cannot.
 */
function takeOver(left: Unplaced, infos: Infos, placed: Placement[]): Unplaced[] {
  const { task } = left
  const node = task.succeeds && infos.get(task.succeeds.nodeId)
  const predecessor = task.succeeds && node?.holder(task.succeeds.taskId)
  if (node === undefined || predecessor === undefined) return [left]
  node.remove(predecessor)
  const suits = refusal(node, testsFor(task)) === undefined
  const waits = task.desiredState === 'ready'
  if (suits && waits) placed.push(place(task, node))
  node.add(predecessor)
  if (!suits) return [left]
  return waits ? [] : [{ ...left, reason: `${left.reason}; ${predecessorInTheWay}` }]
}

interface Batch extends ScheduleOptions {
  readonly nodes: readonly NodeInfo[]
  readonly orders: FitOrders
}

const groupKey = (task: Task): string => (task.serviceId === '' ? task.meta.id : alikeKey(task))

function scheduleGroup(
  group: readonly Task[],
  batch: Batch,
  placed: Placement[],
  unplaced: Unplaced[],
): void {
  const [like] = group
  if (like === undefined) return
  const tests = testsFor(like)
  const changing = tests.filter(({ filter }) => filter.dependsOn === undefined)
  const suits = (node: NodeInfo) => refusal(node, changing) === undefined
  const { candidates, order } = candidatesFor(like, tests, suits, batch)
  let why: Omit<Unplaced, 'task'> | undefined
  for (const task of group) {
    const taken = candidates.take(suits, (node) => {
      placed.push(place(task, node))
      batch.orders.placed(node, order)
    })
    if (taken) continue
    why ??= whyNowhere(countRefusals(batch.nodes, tests))
    unplaced.push({ task, ...why })
  }
}

interface Supply {
  readonly candidates: Pick<Candidates, 'take'>
  /** The order that they are taken from, if they are. */
  readonly order?: LoadOrder
}

/** `suits`: of nodes that fit such tasks for good, whether one has room now. */
function candidatesFor(
  like: Task,
  tests: readonly FilterTest[],
  suits: (node: NodeInfo) => boolean,
  batch: Batch,
): Supply {
  const { nodes, orders, random, now = instant(0) } = batch
  const preferences = (like.spec.placement?.preferences ?? []).map((preference) => preference.spread)
  const strategy = strategyOf(like.serviceLabels, batch.strategy)
  const by = { strategy: strategies[strategy], like, now, random }
  if (strategy === 'spread' && preferences.length === 0) {
    const order = orders.orderFor(like, tests)
    return { candidates: new LeastLoaded(orders, order, suits, by), order }
  }
  const fitting = nodes.filter((node) => refusal(node, tests) === undefined)
  return { candidates: spreadOver(fitting, preferences, by) }
}

const whyNowhere = (refusals: readonly Refusals[]): Omit<Unplaced, 'task'> => ({
  refusals,
  reason: refusals.length === 0 ? 'no suitable node' : `no suitable node (${sentence(refusals)})`,
})

/** A global task's node was chosen with the task; it still has to fit there. */
function placePreassigned(task: Task, infos: Infos, placed: Placement[], unplaced: Unplaced[]): void {
  const node = task.nodeId === '' ? undefined : infos.get(task.nodeId)
  if (node === undefined) {
    unplaced.push({ task, refusals: [], reason: 'no suitable node (its node is gone)' })
    return
  }
  const refusals = countRefusals([node], testsFor(task))
  if (refusals.length > 0) unplaced.push({ task, ...whyNowhere(refusals) })
  else placed.push(place(task, node))
}

function place(task: Task, node: NodeInfo): Placement {
  const nodeId = node.node.meta.id
  const reserved = task.spec.resources?.reservations?.generic ?? []
  const genericResources = reserved.length === 0 ? undefined : node.generic.choose(reserved)
  const claim = genericResources === undefined ? {} : { genericResources }
  node.add(genericResources === undefined ? task : { ...task, ...claim })
  return { task, nodeId, ...claim }
}
