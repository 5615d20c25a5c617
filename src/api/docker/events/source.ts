/** One line of `docker events`. Names are Docker's own. */
export interface DockerEvent {
  readonly Type: string
  readonly Action: string
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> }
  readonly scope: 'local' | 'swarm'
  /** Seconds. */
  readonly time: number
  readonly timeNano: bigint
}

/** What happens in the cluster, beside what the local engine reports of itself. */
export interface ClusterEvents {
  /** Those that are remembered from `sinceNano` up to before `untilNano`, oldest first. */
  past(sinceNano: bigint, untilNano: bigint): Iterable<DockerEvent>
  /** Those from now on, until the signal ends it. */
  follow(signal: AbortSignal): AsyncIterable<DockerEvent>
}
