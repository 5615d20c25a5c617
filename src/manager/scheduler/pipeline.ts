import type { Random } from '#lib/random.ts'
import type { SchedulingStrategy } from '#model/cluster.ts'
import type { NodeId } from '#model/id.ts'
import type { Task } from '#model/task.ts'
import { filters } from './filters/filters.ts'
import type { Filter } from './filters/filter.ts'
import type { NodeInfo } from './node-info.ts'
import { rankFor } from './rank.ts'
import type { Rank } from './rank.ts'
import { spreadTree, takeFromTree } from './spread.ts'

export interface Placement {
  readonly task: Task
  readonly nodeId: NodeId
}

export interface Unplaced {
  readonly task: Task
  /** In Swarm's words: "no suitable node (insufficient resources on 3 nodes)". */
  readonly reason: string
}

export interface ScheduleResult {
  readonly placed: readonly Placement[]
  readonly unplaced: readonly Unplaced[]
}

/**
 * Finds a node for each task. Tasks of one service and generation are alike, so filters are asked once for the
 * group and again only where a placement may have changed the answer. `infos` is counted up as tasks are placed.
 */
export function schedule(
  tasks: readonly Task[],
  infos: ReadonlyMap<NodeId, NodeInfo>,
  options: { strategy: SchedulingStrategy; random: Random },
): ScheduleResult {
  const placed: Placement[] = []
  const unplaced: Unplaced[] = []
  for (const group of groupAlike(tasks)) {
    const [first] = group
    if (first === undefined) continue
    if (first.nodeId !== '') {
      for (const task of group) placePreassigned(task, infos, placed, unplaced)
      continue
    }
    scheduleGroup(group, first, [...infos.values()], options, placed, unplaced)
  }
  return { placed, unplaced }
}

function groupAlike(tasks: readonly Task[]): Iterable<Task[]> {
  const groups = new Map<string, Task[]>()
  for (const task of tasks) {
    const preassigned = task.nodeId === '' ? '' : 'here'
    const key =
      task.serviceId === ''
        ? task.meta.id
        : `${task.serviceId}/${String(task.serviceGeneration)}/${preassigned}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [task])
    else group.push(task)
  }
  return groups.values()
}

type Test = { readonly filter: Filter; readonly passes: (node: NodeInfo) => boolean }

function testsFor(task: Task): Test[] {
  return filters.flatMap((filter) => {
    const passes = filter.prepare(task)
    return passes === undefined ? [] : [{ filter, passes }]
  })
}

function scheduleGroup(
  group: readonly Task[],
  like: Task,
  nodes: readonly NodeInfo[],
  options: { strategy: SchedulingStrategy; random: Random },
  placed: Placement[],
  unplaced: Unplaced[],
): void {
  const tests = testsFor(like)
  const suits = (node: NodeInfo) => tests.every((test) => test.passes(node))
  const candidates = nodes.filter(suits)
  const rank = rankFor(options.strategy, like.serviceId)
  const preferences = (like.spec.placement?.preferences ?? []).map((preference) => preference.spread)
  const tree = spreadTree(candidates, preferences, (node) => node.tasksOf(like.serviceId))
  let reason: string | undefined
  for (const task of group) {
    const node = takeFromTree(tree, (some) => best(some, rank, suits, options.random))
    if (node === undefined) {
      reason ??= explain(nodes, tests)
      unplaced.push({ task, reason })
      continue
    }
    node.add(task)
    placed.push({ task, nodeId: node.node.meta.id })
  }
}

/** The best node that still suits; of equals, any. Nodes that have filled up are taken off the list. */
function best(
  nodes: NodeInfo[],
  rank: Rank,
  suits: (node: NodeInfo) => boolean,
  random: Random,
): NodeInfo | undefined {
  for (;;) {
    let found: NodeInfo | undefined
    let foundAt = -1
    let equals = 0
    for (const [index, node] of nodes.entries()) {
      const order = found === undefined ? -1 : rank(node, found)
      if (order > 0) continue
      equals = order < 0 ? 1 : equals + 1
      if (order < 0 || random.below(equals) === 0) {
        found = node
        foundAt = index
      }
    }
    if (found === undefined || suits(found)) return found
    nodes.splice(foundAt, 1)
  }
}

/** A global task's node was chosen with the task; it still has to fit there. */
function placePreassigned(
  task: Task,
  infos: ReadonlyMap<NodeId, NodeInfo>,
  placed: Placement[],
  unplaced: Unplaced[],
): void {
  const node = task.nodeId === '' ? undefined : infos.get(task.nodeId)
  const tests = testsFor(task)
  if (node === undefined) {
    unplaced.push({ task, reason: 'no suitable node' })
    return
  }
  if (tests.every((test) => test.passes(node))) {
    node.add(task)
    placed.push({ task, nodeId: node.node.meta.id })
  } else unplaced.push({ task, reason: explain([node], tests) })
}

/** Why no node will do: for each node the first filter that refuses it, counted, most first. */
export function explain(nodes: readonly NodeInfo[], tests: readonly Test[]): string {
  const refused = new Map<Filter, number>()
  for (const node of nodes) {
    const test = tests.find((candidate) => !candidate.passes(node))
    if (test !== undefined) refused.set(test.filter, (refused.get(test.filter) ?? 0) + 1)
  }
  const reasons = [...refused].sort((a, b) => b[1] - a[1]).map(([filter, count]) => filter.explain(count))
  return reasons.length === 0 ? 'no suitable node' : `no suitable node (${reasons.join('; ')})`
}
