/** An amount of something a node has: a whole count, or named pieces (a GPU by its id). */
export type GenericResource =
  { readonly kind: string; readonly count: number } | { readonly kind: string; readonly value: string }

/** 1 CPU = 1e9 `cpuNano`. Zero or absent means "not asked for" in a reservation and "no limit" in a limit. */
export interface Resources {
  readonly cpuNano?: number
  readonly memoryBytes?: number
  readonly generic?: readonly GenericResource[]
}

export interface ResourceLimits {
  readonly cpuNano?: number
  readonly memoryBytes?: number
  readonly pids?: number
}

export interface ResourceRequirements {
  readonly limits?: ResourceLimits
  readonly reservations?: Resources
  readonly swapBytes?: number
  readonly swappiness?: number
}
