import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

/** Reservations against what is left of the node; limits do not count. */
export const resources: Filter = {
  name: 'resources',
  prepare(task) {
    const { cpuNano = 0, memoryBytes = 0, generic = [] } = task.spec.resources?.reservations ?? {}
    if (cpuNano === 0 && memoryBytes === 0 && generic.length === 0) return undefined
    return (info) =>
      info.cpuNanoFree >= cpuNano &&
      info.memoryBytesFree >= memoryBytes &&
      (generic.length === 0 || info.generic.choose(generic) !== undefined)
  },
  explain: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
}
