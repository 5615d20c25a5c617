import { toleratesNode } from '#model/toleration.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

export const taints: Filter = {
  name: 'taints',
  prepare(task) {
    const tolerations = task.spec.placement?.tolerations ?? []
    return (info) =>
      info.node.spec.taints === undefined ||
      toleratesNode(info.node, tolerations, ['no-schedule', 'no-execute'])
  },
  explain: (nodes) => `taints not tolerated on ${onNodes(nodes)}`,
}
