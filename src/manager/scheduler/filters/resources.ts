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
  detail(info, task) {
    const { cpuNano = 0, memoryBytes = 0, generic = [] } = task.spec.resources?.reservations ?? {}
    const short: string[] = []
    if (info.cpuNanoFree < cpuNano) short.push(`${cpus(cpuNano)} reserved, ${cpus(info.cpuNanoFree)} free`)
    if (info.memoryBytesFree < memoryBytes)
      short.push(`${mebibytes(memoryBytes)} reserved, ${mebibytes(info.memoryBytesFree)} free`)
    for (const wanted of generic)
      if (info.generic.choose([wanted]) === undefined) short.push(`not enough ${wanted.kind}`)
    return short.join('; ')
  },
  explain: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
}

const cpus = (nano: number): string => `${String(Math.round(nano / 1e7) / 100)} CPUs`

const mebibytes = (bytes: number): string => `${String(Math.floor(bytes / 2 ** 20))} MiB`
