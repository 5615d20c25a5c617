import { hostPortsOf } from '../node-info.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

/** A port of the host belongs to one task at a time, also while that one is being stopped. */
export const hostPorts: Filter = {
  name: 'host-ports',
  prepare(task) {
    const keys = hostPortsOf(task)
    return keys.length === 0 ? undefined : (info) => !keys.some((key) => info.usesHostPort(key))
  },
  detail: (info, task) =>
    `taken: ${hostPortsOf(task)
      .filter((key) => info.usesHostPort(key))
      .join(', ')}`,
  explain: (nodes) => `host-mode port already in use on ${onNodes(nodes)}`,
}
