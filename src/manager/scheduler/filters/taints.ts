import { isTolerated, toleratesNode } from '#model/toleration.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

export const taints: Filter = {
  name: 'taints',
  dependsOn: (task) => task.spec.placement?.tolerations,
  prepare(task) {
    const tolerations = task.spec.placement?.tolerations ?? []
    return (info) =>
      info.node.spec.taints === undefined ||
      toleratesNode(info.node, tolerations, ['no-schedule', 'no-execute'])
  },
  detail({ node }, task) {
    const tolerations = task.spec.placement?.tolerations ?? []
    return (node.spec.taints ?? [])
      .filter((taint) => taint.effect !== 'prefer-no-schedule' && !isTolerated(taint, tolerations))
      .map(({ key, value = '', effect }) => `${key}${value === '' ? '' : `=${value}`}:${effect}`)
      .join(', ')
  },
  explain: (nodes) => `taints not tolerated on ${onNodes(nodes)}`,
}
