import type { SchedulingStrategy } from '#model/cluster.ts'
import { strategyOf } from '#model/scheduling.ts'
import { refusal, testsFor } from './explain.ts'
import { reluctanceOf } from './candidates.ts'
import type { RankBy } from './candidates.ts'
import type { FilterName } from './filters/filter.ts'
import type { NodeInfo } from './node-info.ts'
import { spreadValue } from './spread.ts'
import { strategies } from './strategies/strategies.ts'
import { compareScores } from './strategies/strategy.ts'

/** What one node would say to a task. */
export interface NodeReport {
  readonly nodeId: string
  readonly name: string
  /** The first filter that refuses the task; absent: the node could take it. */
  readonly refusedBy?: FilterName
  /** Of nodes that could, 1 is the one that would; equals share a rank. */
  readonly rank?: number
  /** What exactly does not suit, or how the node stands by the strategy. */
  readonly why: string
}

/** Every node's answer to one more task like this, those that could take it first, in the order of the scheduler. */
export function reportNodes(
  infos: Iterable<NodeInfo>,
  by: Omit<RankBy, 'strategy'> & { readonly strategy: SchedulingStrategy },
): NodeReport[] {
  const { like, random } = by
  const tests = testsFor(like)
  const strategy = strategies[strategyOf(like.serviceLabels, by.strategy)]
  const descriptors = (like.spec.placement?.preferences ?? []).map((preference) => preference.spread)
  const refused: NodeReport[] = []
  const suitable: NodeInfo[] = []
  for (const info of infos) {
    const filter = refusal(info, tests)
    if (filter === undefined) suitable.push(info)
    else refused.push({ ...nameOf(info), refusedBy: filter.name, why: filter.detail(info, like) })
  }
  const groups = descriptors.map((_, level) => groupCounts(suitable, descriptors.slice(0, level + 1), by))
  const judged = suitable.map((info) => {
    const counts = groups.map((group) => group(info))
    const reluctance = reluctanceOf(info, by)
    const failures = info.recentFailures(like, by.now)
    const words = [
      ...descriptors.map((descriptor, level) => {
        const value = spreadValue(info.node, descriptor)
        return `${descriptor}=${value}: ${String(counts[level] ?? 0)}`
      }),
      strategy.describe(info, like),
      ...(failures > 0 ? [`${String(failures)} failed there in 5 minutes`] : []),
    ]
    return {
      info,
      score: [...counts, reluctance, ...strategy.score(info, like, random)],
      why: words.join('; '),
    }
  })
  judged.sort((a, b) => compareScores(a.score, b.score))
  let rank = 0
  const able = judged.map(({ info, score, why }, index): NodeReport => {
    const before = judged[index - 1]
    if (before === undefined || compareScores(before.score, score) !== 0) rank = index + 1
    return { ...nameOf(info), rank, why }
  })
  return [...able, ...refused.sort((a, b) => (a.name < b.name ? -1 : 1))]
}

const nameOf = ({ node }: NodeInfo) => ({
  nodeId: node.meta.id,
  name: node.status.description?.hostname ?? node.meta.name,
})

/** How many tasks of the service are in the group that a node is in. */
function groupCounts(
  nodes: readonly NodeInfo[],
  descriptors: readonly string[],
  { like }: Pick<RankBy, 'like'>,
): (node: NodeInfo) => number {
  const keyOf = (info: NodeInfo) => descriptors.map((each) => spreadValue(info.node, each)).join('\0')
  const counts = new Map<string, number>()
  for (const info of nodes)
    counts.set(keyOf(info), (counts.get(keyOf(info)) ?? 0) + info.tasksOf(like.serviceId))
  return (info) => counts.get(keyOf(info)) ?? 0
}
