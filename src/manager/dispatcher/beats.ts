import type { Clock } from '#lib/clock.ts'
import type { NodeId } from '#model/id.ts'
import type { BeatsReport } from '#rpc/messages.ts'

/** A manager that is silent for longer holds nothing up: its agents are elsewhere by then. */
const reportsCountMs = 2_500

interface LastReport {
  /** On this manager's monotonic clock, as the next. */
  readonly atMs: number
  /** When it last said that its member of the store keeps up; undefined: never. */
  readonly storeAtMs: number | undefined
  readonly appliedRevision: number
}

interface LastBeat {
  /** On this manager's monotonic clock. */
  atMs: number
  bootEpoch: number
  /** Until then its silence was announced. */
  backByMs: number | undefined
}

/**
 * When each agent, and each manager, was last heard of. Every manager keeps one for its own sessions and
 * tells the leader; the leader's holds the whole cluster. Nothing of it is stored: a new leader starts
 * empty and gives everybody a fresh period of grace.
 */
export class Beats {
  readonly #clock: Clock
  readonly #nodes = new Map<NodeId, LastBeat>()
  readonly #managers = new Map<NodeId, LastReport>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  heard(nodeId: NodeId, bootEpoch: number, ageMs = 0): void {
    const atMs = this.#clock.monotonicMs() - ageMs
    const known = this.#nodes.get(nodeId)
    if (known !== undefined && known.bootEpoch > bootEpoch) return
    if (known !== undefined && known.bootEpoch === bootEpoch && known.atMs >= atMs) return
    const backByMs = known?.bootEpoch === bootEpoch ? known.backByMs : undefined
    this.#nodes.set(nodeId, { atMs, bootEpoch, backByMs })
  }

  /** It stops, and said that it will be back. A beat of its next session is the end of that. */
  farewell(nodeId: NodeId, bootEpoch: number, backWithinMs: number): void {
    const known = this.#nodes.get(nodeId)
    if (known?.bootEpoch !== bootEpoch) return
    known.backByMs = this.#clock.monotonicMs() + backWithinMs
  }

  take(report: BeatsReport): void {
    const { managerId, appliedRevision, storeCurrent } = report
    const atMs = this.#clock.monotonicMs()
    const storeAtMs = storeCurrent ? atMs : this.#managers.get(managerId)?.storeAtMs
    this.#managers.set(managerId, { atMs, storeAtMs, appliedRevision })
    for (const { nodeId, bootEpoch, ageMs, backWithinMs } of report.nodes) {
      this.heard(nodeId, bootEpoch, ageMs)
      if (backWithinMs !== undefined) this.farewell(nodeId, bootEpoch, backWithinMs)
    }
  }

  /** What this manager tells the leader: agents heard within the last `withinMs`. */
  report(
    managerId: NodeId,
    withinMs: number,
    state: Pick<BeatsReport, 'appliedRevision' | 'storeCurrent'>,
  ): BeatsReport {
    const nowMs = this.#clock.monotonicMs()
    const nodes: BeatsReport['nodes'][number][] = []
    for (const [nodeId, { atMs, bootEpoch }] of this.#nodes) {
      const ageMs = nowMs - atMs
      const backWithinMs = this.backWithinMs(nodeId)
      if (ageMs <= withinMs)
        nodes.push({ nodeId, ageMs, bootEpoch, ...(backWithinMs === undefined ? {} : { backWithinMs }) })
    }
    return { managerId, nodes, sentAt: this.#clock.now(), ...state }
  }

  /** Milliseconds since the node was last heard; undefined: never. */
  ageMs(nodeId: NodeId): number | undefined {
    const beat = this.#nodes.get(nodeId)
    return beat === undefined ? undefined : this.#clock.monotonicMs() - beat.atMs
  }

  /** How long its silence is still one that it announced; undefined: it is none. */
  backWithinMs(nodeId: NodeId): number | undefined {
    const backByMs = this.#nodes.get(nodeId)?.backByMs
    if (backByMs === undefined) return undefined
    const leftMs = backByMs - this.#clock.monotonicMs()
    return leftMs > 0 ? leftMs : undefined
  }

  /** Milliseconds since the manager last reported; undefined: never. */
  managerAgeMs(nodeId: NodeId): number | undefined {
    const manager = this.#managers.get(nodeId)
    return manager === undefined ? undefined : this.#clock.monotonicMs() - manager.atMs
  }

  /** Milliseconds since the manager last reported that its store keeps up; undefined: never. */
  storeAgeMs(nodeId: NodeId): number | undefined {
    const storeAtMs = this.#managers.get(nodeId)?.storeAtMs
    return storeAtMs === undefined ? undefined : this.#clock.monotonicMs() - storeAtMs
  }

  /** The revision that the agents of all managers but this one have applied, of those that report. */
  appliedBesides(managerId: NodeId): number {
    const since = this.#clock.monotonicMs() - reportsCountMs
    let revision = Number.MAX_SAFE_INTEGER
    for (const [id, manager] of this.#managers)
      if (id !== managerId && manager.atMs >= since) revision = Math.min(revision, manager.appliedRevision)
    return revision
  }

  forget(nodeId: NodeId): void {
    this.#nodes.delete(nodeId)
    this.#managers.delete(nodeId)
  }
}
