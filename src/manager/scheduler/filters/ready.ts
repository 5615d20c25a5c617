import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

/** A paused node keeps what it has and gets nothing new; a drained one loses it as well. */
export const ready: Filter = {
  name: 'ready',
  dependsOn: () => undefined,
  prepare: () => (info) => info.node.status.state === 'ready' && info.node.spec.availability === 'active',
  detail: ({ node }) =>
    node.status.state === 'ready'
      ? `its availability is ${node.spec.availability}`
      : `it is ${node.status.state}`,
  explain: (nodes) => `${onNodes(nodes)} not available for new tasks`,
}
