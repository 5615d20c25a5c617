import type { Instant } from '#lib/clock.ts'
import type { NodeId, TaskId } from './id.ts'

/** What something used at a moment. 1 is one core for the whole span since the sample before. */
export interface Usage {
  readonly cpu: number
  /** Without what the kernel keeps only because nobody else needs the memory. */
  readonly memoryBytes: number
}

/** What an agent sees of its host, and of the tasks on it. Never stored: managers keep the last hour in memory. */
export interface NodeUsage extends Usage {
  readonly at: Instant
  readonly tasks: readonly (Usage & { readonly taskId: TaskId })[]
}

/** The newest sample of each node. */
export interface ClusterUsage {
  readonly nodes: readonly (NodeUsage & { readonly nodeId: NodeId })[]
}

export interface UsagePoint extends Usage {
  readonly at: Instant
}

/** Often enough to see a minute's peak, and 360 of them are an hour. */
export const sampleEveryMs = 10_000
export const usageKeptMs = 3_600_000
