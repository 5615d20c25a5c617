import { instant } from '#lib/clock.ts'
import type { Clock, Instant } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import type { Random } from '#lib/random.ts'
import { startWait } from '#lib/wait.ts'
import { create, update } from '#model/change.ts'
import type { Change } from '#model/change.ts'
import type { StoredObject } from '#model/objects.ts'
import type { Task } from '#model/task.ts'
import type { Store } from '#store/contract.ts'
import { MemoryStore } from '#store/memory/store.ts'
import { startMirror } from '#store/mirror/mirror.ts'
import type { Mirror } from '#store/mirror/view.ts'
import { Agenda } from '../agenda.ts'
import { PipelineState } from '../pipeline-state.ts'
import { planTurn } from '../turn.ts'
import { dutiful, reported } from './agents.ts'
import type { AgentBehaviour } from './agents.ts'

/** More turns than any real change takes: what has not come to rest by then never does. */
const mostTurns = 20_000
const horizonMs = 24 * 3_600_000

/** How a simulation ended: at rest, or still waiting for something far in the future. */
export interface Settled {
  readonly atRest: boolean
  readonly turns: number
}

export interface SimulationOptions {
  readonly objects: Iterable<StoredObject>
  readonly now: Instant
  readonly random: Random
  readonly behaviour?: AgentBehaviour
  readonly schedulesRest?: boolean
}

/**
 * A cluster without hosts: the leader's own functions over a store in memory, and agents that report at once. Its clock
 * goes on only when nothing else is to be done, so that a delay of an hour costs nothing.
 */
export class SimulatedCluster implements AsyncDisposable {
  readonly store = new MemoryStore()
  readonly mirror: Mirror
  /** What a person's write goes to: the loops have answered it before it returns. */
  readonly userStore: Store
  readonly clock: Clock
  behaviour: AgentBehaviour
  now: Instant
  readonly #random: Random
  readonly #schedulesRest: boolean
  readonly #stop: AbortController
  #agenda: Agenda
  #state: PipelineState
  /** Tasks whose agent may have something to do. */
  readonly #due = new Set<string>()

  private constructor(
    parts: { mirror: Mirror; store: MemoryStore; stop: AbortController },
    options: SimulationOptions,
  ) {
    this.store = parts.store
    this.mirror = parts.mirror
    this.#stop = parts.stop
    this.now = options.now
    this.#random = options.random
    this.#schedulesRest = options.schedulesRest ?? false
    this.behaviour = options.behaviour ?? dutiful
    this.clock = { now: () => this.now, monotonicMs: () => this.now }
    this.userStore = settling(this.store, () => this.settle())
    this.#agenda = new Agenda(this.mirror)
    this.#state = new PipelineState(this.mirror)
    this.wakeAgents()
    this.mirror.subscribe((events) => {
      this.#state.hear(events)
      this.#agenda.hear(events, this.mirror)
      for (const { kind, after } of events) {
        if (kind === 'task' && after !== undefined) this.#due.add(after.meta.id)
        if (kind === 'node') this.wakeAgents()
      }
    })
  }

  static async of(options: SimulationOptions): Promise<SimulatedCluster> {
    const store = new MemoryStore()
    using wait = shortWait()
    await store.transact(Array.from(options.objects, create), { wait })
    const stop = new AbortController()
    const mirror = await startMirror(store, stop.signal, silentLogger)
    return new SimulatedCluster({ mirror, store, stop }, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
  }

  /** Another manager leads from now on: it knows what is stored, and nothing else. */
  changeLeader(): void {
    this.#agenda = new Agenda(this.mirror)
    this.#state = new PipelineState(this.mirror)
  }

  /** All agents look again at what they have to do. */
  wakeAgents(): void {
    for (const task of this.mirror.list('task')) this.#due.add(task.meta.id)
  }

  /** Writes beside the loops, as a host or a person would. */
  async write(changes: readonly Change[]): Promise<void> {
    using wait = shortWait()
    await this.store.transact(changes, { wait })
  }

  /** One turn of the leader's pipeline; false: nothing is due now. */
  async turn(): Promise<boolean> {
    const work = this.#agenda.take(this.now, this.mirror)
    if (work === undefined) return false
    const turn = planTurn(this.mirror, work, this.#state, {
      now: this.now,
      random: this.#random,
      schedulesRest: this.#schedulesRest,
    })
    this.#agenda.note(turn)
    await this.write(turn.changes)
    return true
  }

  /** Each agent takes one step with each of its tasks; false: none has any to take. */
  async agents(): Promise<boolean> {
    const changes: Change[] = []
    for (const id of this.#due) {
      this.#due.delete(id)
      const change = this.#step(id)
      if (change !== undefined) changes.push(change)
    }
    await this.write(changes)
    return changes.length > 0
  }

  /** Goes to the next moment at which something is due, if it is near enough; false: it is not, or there is none. */
  advance(until: Instant): boolean {
    const next = this.#agenda.nextAt()
    if (next === undefined || next > until) return false
    this.now = instant(Math.max(this.now, next))
    return true
  }

  /** Until nothing is left to do. */
  async settle(): Promise<Settled> {
    const until = instant(this.now + horizonMs)
    for (let turns = 0; turns < mostTurns; turns++)
      if (!(await this.turn()) && !(await this.agents()) && !this.advance(until))
        return { atRest: this.#agenda.nextAt() === undefined, turns }
    return { atRest: false, turns: mostTurns }
  }

  #step(id: string): Change | undefined {
    const task = this.mirror.get('task', id)
    if (task === undefined || task.nodeId === '') return undefined
    const node = this.mirror.get('node', task.nodeId)
    const state = node && this.behaviour(task, node)
    if (state === undefined) return undefined
    const status: Task['status'] = reported(task, state, this.now)
    return update({ ...task, meta: { ...task.meta, updatedAt: this.now }, status })
  }
}

const shortWait = () => startWait({ timeoutMs: 60_000, what: 'the store in memory' })

/** The store, with everything answered that follows from a write before the write returns. */
function settling(store: MemoryStore, settle: () => Promise<unknown>): Store {
  return {
    async transact(changes, options) {
      const result = await store.transact(changes, options)
      await settle()
      return result
    },
    get: (kind, id, options) => store.get(kind, id, options),
    currentRevision: () => store.currentRevision(),
    watch: (listener, signal) => store.watch(listener, signal),
    campaign: (candidate, signal) => store.campaign(candidate, signal),
    leader: () => store.leader(),
  }
}
