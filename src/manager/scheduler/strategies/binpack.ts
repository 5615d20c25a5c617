import type { NodeInfo } from '../node-info.ts'
import type { Strategy } from './strategy.ts'

/** The node with the least of its CPUs and memory left that still has room; of equals, the one with the most tasks. */
export const binpack: Strategy = {
  score: (node) => [freeShare(node), -node.tasks],
  describe: (node) => `${(100 * freeShare(node)).toFixed(0)}% not reserved, ${String(node.tasks)} in all`,
}

function freeShare({ node, cpuNanoFree, memoryBytesFree }: NodeInfo): number {
  const { cpuNano = 0, memoryBytes = 0 } = node.status.description?.resources ?? {}
  return (share(cpuNanoFree, cpuNano) + share(memoryBytesFree, memoryBytes)) / 2
}

const share = (free: number, all: number): number => (all === 0 ? 0 : free / all)
