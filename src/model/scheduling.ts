import type { ClusterSpec, SchedulingStrategy } from './cluster.ts'
import { clusterDefaults } from './defaults.ts'
import type { Labels } from './meta.ts'
import type { Problem } from './validate/problem.ts'

export const schedulingStrategies: readonly SchedulingStrategy[] = ['spread', 'binpack', 'random']

/** A service's own strategy, over the cluster's: `mure.strategy=binpack`. */
export const strategyLabel = 'mure.strategy'

/** Effective settings: what a cluster does not say is the default, so that older ones read as they always did. */
export interface SchedulingSettings {
  readonly strategy: SchedulingStrategy
  readonly drainOrder: 'start-first' | 'stop-first'
  readonly rebalance: boolean
}

export const schedulingSettings = ({ scheduling }: ClusterSpec): SchedulingSettings => ({
  strategy: scheduling?.strategy ?? clusterDefaults.strategy,
  drainOrder: scheduling?.drainOrder ?? clusterDefaults.drainOrder,
  rebalance: scheduling?.rebalance ?? false,
})

export const isStrategy = (text: string | undefined): text is SchedulingStrategy =>
  schedulingStrategies.some((strategy) => strategy === text)

/** Said of a task that was to start beside the one it replaces, and for which there is room in that one's place alone. */
export const predecessorInTheWay =
  'it fits only once the task that it replaces has stopped, which therefore stops first'

/** How tasks of a service with these labels are placed. */
export function strategyOf(labels: Labels, ofCluster: SchedulingStrategy): SchedulingStrategy {
  const own = labels[strategyLabel]
  return isStrategy(own) ? own : ofCluster
}

export function strategyProblems(labels: Labels): Problem[] {
  const own = labels[strategyLabel]
  if (own === undefined || isStrategy(own)) return []
  return [
    {
      path: `Labels.${strategyLabel}`,
      message: `label ${strategyLabel}: "${own}" is not one of ${schedulingStrategies.join(', ')}`,
    },
  ]
}

/** What is wrong with the settings of a cluster; for what comes from outside, whose types nobody has checked. */
export function schedulingProblems(scheduling: NonNullable<ClusterSpec['scheduling']>): Problem[] {
  const { strategy, drainOrder, rebalance } = scheduling as Readonly<Record<string, unknown>>
  const problems: Problem[] = []
  if (strategy !== undefined && !schedulingStrategies.some((known) => known === strategy))
    problems.push({
      path: 'strategy',
      message: `strategy must be ${schedulingStrategies.join(', ')}, not ${JSON.stringify(strategy)}`,
    })
  if (drainOrder !== undefined && drainOrder !== 'start-first' && drainOrder !== 'stop-first')
    problems.push({
      path: 'drainOrder',
      message: `the order of a drain must be start-first or stop-first, not ${JSON.stringify(drainOrder)}`,
    })
  if (rebalance !== undefined && typeof rebalance !== 'boolean')
    problems.push({
      path: 'rebalance',
      message: `rebalance must be true or false, not ${JSON.stringify(rebalance)}`,
    })
  return problems
}
