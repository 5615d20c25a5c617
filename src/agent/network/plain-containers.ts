import type { Engine } from '#engine/engine.ts'
import type { ContainerSummary, EngineEvent } from '#engine/types.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/logger.ts'
import { sleep } from '#lib/wait.ts'
import type { TaskId } from '#model/id.ts'
import type { Task, TaskStatus } from '#model/task.ts'
import type { Difference } from '#rpc/messages.ts'
import { networkLabel } from './engine-networks.ts'

/** The runtime of a task that stands for a plain container's place on a network. */
export const attachmentRuntime = 'attachment'
/** The label of a container that was made with such a place: `mure.attachment.<task>`. */
export const attachmentLabel = 'mure.attachment.'

export interface PlainContainersParts {
  readonly engine: Engine
  readonly clock: Clock
  readonly logger: Logger
  readonly release: (taskId: string) => Promise<void>
  readonly report: (taskId: TaskId, status: TaskStatus) => void
}

interface Place {
  readonly task: Task
  /** Of this process's own clock. */
  readonly since: number
  /** What was last told of it. */
  readonly told: TaskStatus
}

const compareEveryMs = 30_000
/** Events come in bursts: one look for all of them. */
const gatherMs = 50
/** Between the taking of a place and the making of its container. */
const unmadeGraceMs = 60_000
/** Between the taking of a place for a container that is there, and its being connected. */
const unconnectedGraceMs = 60_000

const concerning = new Set(['create', 'destroy', 'rename', 'start', 'die', 'disconnect'])

/**
 * The places of this host's plain containers on attachable networks. Their names and whether they run are told to the
 * managers; a place that no container has any more is given back, however it went, and whether anybody of us saw it.
 */
export class PlainContainers implements AsyncDisposable {
  readonly #parts: PlainContainersParts
  readonly #places = new Map<string, Place>()
  readonly #stop = new AbortController()
  readonly #comparing: Promise<void>
  #wake: (() => void) | undefined
  #isDue = false

  constructor(parts: PlainContainersParts) {
    this.#parts = parts
    this.#comparing = this.#compareNowAndThen()
  }

  /** Takes the assignments, and gives back those that are tasks to be run. */
  take(tasks: Difference<Task>, isFull: boolean): Difference<Task> {
    const before = new Map(this.#places)
    if (isFull) this.#places.clear()
    const put: Task[] = []
    for (const task of tasks.put) {
      if (task.spec.runtime !== attachmentRuntime) {
        put.push(task)
        continue
      }
      const known = before.get(task.meta.id)
      this.#places.set(task.meta.id, {
        task,
        since: known?.since ?? performance.now(),
        told: known?.told ?? task.status,
      })
    }
    for (const id of tasks.remove) this.#places.delete(id)
    if (this.#places.size > 0) this.#look()
    return { put, remove: tasks.remove }
  }

  hear(event: EngineEvent): void {
    if (this.#places.size > 0 && concerning.has(event.Action)) this.#look()
  }

  /** The place of a container on a network, as far as it is known here by now. */
  placeOf(containerId: string, networkId: string): string | undefined {
    for (const [id, { task, told }] of this.#places)
      if (told.containers[0]?.containerId === containerId && networkOf(task) === networkId) return id
    return undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake?.()
    await this.#comparing
  }

  #look(): void {
    this.#isDue = true
    this.#wake?.()
  }

  async #compareNowAndThen(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (!this.#isDue)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, compareEveryMs)
          this.#wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      this.#wake = undefined
      await sleep(gatherMs, signal).catch(() => undefined)
      this.#isDue = false
      if (signal.aborted || this.#places.size === 0) continue
      await this.#compare(signal).catch((error: unknown) => {
        if (!signal.aborted)
          this.#parts.logger.debug('places on networks could not be compared with the containers', { error })
      })
    }
  }

  async #compare(signal: AbortSignal): Promise<void> {
    const { engine, report, release } = this.#parts
    const [containers, networks] = await Promise.all([
      engine.listContainers([], { signal }),
      engine.listNetworks([networkLabel], { signal }),
    ])
    const nameOf = new Map(networks.map(({ Name, Labels }) => [Labels?.[networkLabel] ?? '', Name]))
    const byId = new Map(containers.map((container) => [container.Id, container]))
    const byPlace = new Map(
      containers.flatMap((container) => placesIn(container).map((id) => [id, container] as const)),
    )
    for (const [id, place] of [...this.#places]) {
      const container = byPlace.get(id) ?? byId.get(place.told.containers[0]?.containerId ?? '')
      const network = nameOf.get(networkOf(place.task))
      // The engine has no such network yet, or no more: nothing can be said of who is on it.
      if (container !== undefined && network === undefined) continue
      if (container !== undefined && network !== undefined && isOn(container, network)) {
        const status = this.#statusOf(place, container)
        if (JSON.stringify(status) === JSON.stringify(place.told)) continue
        this.#places.set(id, { ...place, told: status })
        report(place.task.meta.id, status)
        continue
      }
      const wasMade = place.told.containers[0] !== undefined
      const wasConnected = place.told.state === 'running'
      const graceMs = wasConnected ? 0 : wasMade ? unconnectedGraceMs : unmadeGraceMs
      if (performance.now() - place.since < graceMs) continue
      await release(id)
      this.#places.delete(id)
    }
  }

  #statusOf({ told }: Place, { Id, Names, State }: ContainerSummary): TaskStatus {
    const now = this.#parts.clock.now()
    const hasEnded = State === 'exited' || State === 'dead'
    const [before] = told.containers
    return {
      state: 'running',
      since: told.state === 'running' ? told.since : now,
      message: 'attached',
      error: '',
      containers: [
        {
          name: Names[0]?.replace(/^\//, '') ?? '',
          containerId: Id,
          pid: 0,
          ...(hasEnded ? { finishedAt: before?.finishedAt ?? now } : {}),
        },
      ],
    }
  }
}

const networkOf = (task: Task): string => task.spec.networks?.[0]?.target ?? ''

const placesIn = ({ Labels }: ContainerSummary): string[] =>
  Object.keys(Labels)
    .filter((label) => label.startsWith(attachmentLabel))
    .map((label) => label.slice(attachmentLabel.length))

const isOn = ({ NetworkSettings }: ContainerSummary, network: string): boolean =>
  network in (NetworkSettings?.Networks ?? {})
