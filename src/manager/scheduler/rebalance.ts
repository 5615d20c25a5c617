import type { NodeId, ServiceId } from '#model/id.ts'
import type { Task } from '#model/task.ts'
import { refusal, testsFor } from './explain.ts'
import { reluctanceOf } from './candidates.ts'
import type { RankBy } from './candidates.ts'
import type { NodeInfo } from './node-info.ts'
import { spreadValue } from './spread.ts'

/** A running task that would do better on another node. */
export interface Move {
  readonly task: Task
  readonly from: NodeId
  readonly to: NodeId
}

/**
 * Tasks that are counted on two nodes while they move are counted here once, where they go: what is decided next must
 * see the moves that are under way, those of other services too.
 */
export class Underway {
  readonly #all = new Map<NodeId, number>()
  readonly #ofService = new Map<string, number>()

  /** `arrives`: it is not counted there by the node itself yet. */
  add({ task, from, to }: Move, arrives: boolean): void {
    this.#count(from, task.serviceId, -1)
    if (arrives) this.#count(to, task.serviceId, 1)
  }

  tasks(info: NodeInfo): number {
    return info.tasks + (this.#all.get(info.node.meta.id) ?? 0)
  }

  tasksOf(info: NodeInfo, serviceId: ServiceId | ''): number {
    return info.tasksOf(serviceId) + (this.#ofService.get(`${info.node.meta.id}/${serviceId}`) ?? 0)
  }

  #count(node: NodeId, serviceId: string, by: 1 | -1): void {
    this.#all.set(node, (this.#all.get(node) ?? 0) + by)
    const key = `${node}/${serviceId}`
    this.#ofService.set(key, (this.#ofService.get(key) ?? 0) + by)
  }
}

/**
 * The best next move among the tasks of one service that may be moved; undefined: nothing is gained by any.
 *
 * 1. A move makes the spread better: over the groups of the preferences first, then of the service's tasks over nodes,
 *    then of all tasks. Each is measured by the sum of squares, which every move lowers, so that moving always ends.
 * 2. It goes where no filter refuses the task, and where the scheduler has no reason to hesitate.
 */
export function bestMove(
  movable: readonly Task[],
  infos: Iterable<NodeInfo>,
  by: Pick<RankBy, 'like' | 'now'> & { readonly underway: Underway; suits?(node: NodeInfo): boolean },
): Move | undefined {
  const { like, underway } = by
  const tests = testsFor(like)
  const descriptors = (like.spec.placement?.preferences ?? []).map((preference) => preference.spread)
  const tasksOn = Map.groupBy(movable, (task) => task.nodeId)
  const standings = Array.from(infos, (info): Standing => ({
    info,
    path: descriptors.map((descriptor) => spreadValue(info.node, descriptor)),
    counts: [underway.tasksOf(info, like.serviceId), underway.tasks(info)],
  }))
  const groups = groupCounts(standings)
  const full = (standing: Standing) => [...groups(standing), ...standing.counts]
  const sources = standings.filter(({ info }) => tasksOn.has(info.node.meta.id))
  const targets = standings.filter(
    ({ info }) => by.suits?.(info) !== false && refusal(info, tests) === undefined && isFreeOfDoubt(info, by),
  )
  let best: { from: Standing; to: Standing; gain: readonly number[] } | undefined
  // The best pair may be within one group where none between groups gains anything.
  for (let level = 0; level <= descriptors.length; level++) {
    const keyOf = ({ path }: Standing) => path.slice(0, level).join('\0')
    const targetsOf = Map.groupBy(targets, keyOf)
    for (const [key, members] of Map.groupBy(sources, keyOf)) {
      const from = extreme(members, (a, b) => compare(full(b), full(a)))
      const to = extreme(targetsOf.get(key) ?? [], (a, b) => compare(full(a), full(b)))
      if (from === undefined || to === undefined || from === to) continue
      const gain = gainOf(from, to, groups)
      if (compare(gain, []) < 0 && (best === undefined || compare(gain, best.gain) < 0))
        best = { from, to, gain }
    }
  }
  if (best === undefined) return undefined
  const from = best.from.info.node.meta.id
  // First members of stateful services have low numbers: they stay as long as others can go.
  const task = extreme(tasksOn.get(from) ?? [], (a, b) => b.slot - a.slot)
  return task && { task, from, to: best.to.info.node.meta.id }
}

interface Standing {
  readonly info: NodeInfo
  /** The node's value of each preference. */
  readonly path: readonly string[]
  /** Tasks of this service, and of all. */
  readonly counts: readonly [number, number]
}

function isFreeOfDoubt(info: NodeInfo, by: Pick<RankBy, 'like' | 'now'>): boolean {
  return info.recentFailures(by.like, by.now) === 0 && reluctanceOf(info, by) === 0
}

/** How many tasks of the service each of a node's groups has, the widest first. */
function groupCounts(standings: readonly Standing[]): (standing: Standing) => number[] {
  const counts = new Map<string, number>()
  for (const { path, counts: own } of standings)
    for (const key of prefixes(path)) counts.set(key, (counts.get(key) ?? 0) + own[0])
  return ({ path }) => prefixes(path).map((key) => counts.get(key) ?? 0)
}

const prefixes = (path: readonly string[]): string[] =>
  path.map((_, level) => path.slice(0, level + 1).join('\0'))

/** By how much each sum of squares changes, halved; less is better. */
function gainOf(from: Standing, to: Standing, groups: (standing: Standing) => number[]): number[] {
  const fromKeys = prefixes(from.path)
  const toKeys = prefixes(to.path)
  const [fromGroups, toGroups] = [groups(from), groups(to)]
  const between = fromGroups.map((count, level) =>
    fromKeys[level] === toKeys[level] ? 0 : (toGroups[level] ?? 0) - count + 1,
  )
  return [...between, to.counts[0] - from.counts[0] + 1, to.counts[1] - from.counts[1] + 1]
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** The first by the order; of equals, the one that comes first. */
function extreme<T>(items: readonly T[], order: (a: T, b: T) => number): T | undefined {
  return items.reduce<T | undefined>(
    (best, item) => (best === undefined || order(item, best) < 0 ? item : best),
    undefined,
  )
}
