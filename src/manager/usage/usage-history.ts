import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { NodeId } from '#model/id.ts'
import { sampleEveryMs, usageKeptMs } from '#model/usage.ts'
import type { NodeUsage, UsagePoint } from '#model/usage.ts'

const slots = Math.ceil(usageKeptMs / sampleEveryMs)
/** Half a minute without a sample: the node is gone, or speaks to another manager now. */
const freshMs = 35_000
const bytesPerMib = 1024 * 1024

/** The last hour of one node or task: 12 bytes a sample, made only as far as it is filled. */
class Series {
  #cpu = new Float32Array(16)
  #memory = new Float32Array(16)
  /** Seconds, which a 32 bit float would round. */
  #at = new Uint32Array(16)
  #next = 0
  #count = 0

  get lastAtMs(): number {
    return this.#count === 0 ? 0 : (this.#at[(this.#next + slots - 1) % slots] ?? 0) * 1_000
  }

  add({ at, cpu, memoryBytes }: UsagePoint): void {
    if (this.#next >= this.#at.length) this.#grow()
    this.#at[this.#next] = Math.round(at / 1_000)
    this.#cpu[this.#next] = cpu
    this.#memory[this.#next] = memoryBytes / bytesPerMib
    this.#next = (this.#next + 1) % slots
    this.#count = Math.min(this.#count + 1, slots)
  }

  points(): UsagePoint[] {
    const first = (this.#next - this.#count + slots) % slots
    return Array.from({ length: this.#count }, (_, i) => {
      const place = (first + i) % slots
      return {
        at: instant((this.#at[place] ?? 0) * 1_000),
        cpu: this.#cpu[place] ?? 0,
        memoryBytes: Math.round((this.#memory[place] ?? 0) * bytesPerMib),
      }
    })
  }

  #grow(): void {
    const size = Math.min(slots, this.#at.length * 2)
    const cpu = new Float32Array(size)
    const memory = new Float32Array(size)
    const at = new Uint32Array(size)
    cpu.set(this.#cpu)
    memory.set(this.#memory)
    at.set(this.#at)
    this.#cpu = cpu
    this.#memory = memory
    this.#at = at
  }
}

/** What the agents of this manager's sessions have said of their use, for an hour; in memory alone. */
export class UsageHistory {
  readonly #now: () => Instant
  readonly #series = new Map<string, Series>()
  readonly #latest = new Map<NodeId, NodeUsage>()

  constructor(now: () => Instant) {
    this.#now = now
  }

  /** By this manager's clock: those of nodes may differ. */
  add(nodeId: NodeId, usage: NodeUsage): void {
    const at = this.#now()
    this.#latest.set(nodeId, { ...usage, at })
    this.#of(nodeId).add({ at, cpu: usage.cpu, memoryBytes: usage.memoryBytes })
    for (const task of usage.tasks)
      this.#of(task.taskId).add({ at, cpu: task.cpu, memoryBytes: task.memoryBytes })
  }

  /** The newest sample of each node that has sent one lately. */
  latest(): (NodeUsage & { readonly nodeId: NodeId })[] {
    const since = this.#now() - freshMs
    return [...this.#latest]
      .filter(([, { at }]) => at >= since)
      .map(([nodeId, usage]) => ({ nodeId, ...usage }))
  }

  /** Of a node or a task, oldest first. */
  points(id: string): UsagePoint[] {
    const since = this.#now() - usageKeptMs
    return (
      this.#series
        .get(id)
        ?.points()
        .filter(({ at }) => at >= since) ?? []
    )
  }

  /** What has not been heard of for an hour. */
  forgetOld(): void {
    const since = this.#now() - usageKeptMs
    for (const [id, series] of this.#series) if (series.lastAtMs < since) this.#series.delete(id)
    for (const [nodeId, { at }] of this.#latest) if (at < since) this.#latest.delete(nodeId)
  }

  #of(id: string): Series {
    const known = this.#series.get(id)
    if (known !== undefined) return known
    const made = new Series()
    this.#series.set(id, made)
    return made
  }
}
