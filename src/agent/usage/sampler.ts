import { readFile } from 'node:fs/promises'
import type { Clock } from '#lib/clock.ts'
import type { TaskId } from '#model/id.ts'
import { sampleEveryMs } from '#model/usage.ts'
import type { NodeUsage, Usage } from '#model/usage.ts'
import { cgroupFiles, cpuSeconds, hostCpuSeconds, hostMemoryBytes, memoryBytes } from './cgroup.ts'
import type { CgroupFiles } from './cgroup.ts'

/** A container that runs now. */
export interface RunningTask {
  readonly taskId: TaskId
  readonly pid: number
}

interface Known {
  readonly pid: number
  readonly files: CgroupFiles
  cpuSeconds: number
}

/** The first one soon, so that a page that has just been opened has something to show. */
const firstAfterMs = 1_000

/**
 * Looks now and then at what the host and its tasks use, in the kernel's own books: a few small files for each
 * container, and the engine is not asked.
 */
export class UsageSampler implements Disposable {
  readonly #clock: Clock
  readonly #running: () => Iterable<RunningTask>
  readonly #tell: (usage: NodeUsage) => void
  readonly #known = new Map<TaskId, Known>()
  #hostCpuSeconds: number | undefined
  #lastMs: number | undefined
  #timer: NodeJS.Timeout
  #isStopped = false
  /** The newest, once there are two to compare. */
  latest: NodeUsage | undefined

  constructor(parts: {
    readonly clock: Clock
    readonly running: () => Iterable<RunningTask>
    readonly tell: (usage: NodeUsage) => void
  }) {
    this.#clock = parts.clock
    this.#running = parts.running
    this.#tell = parts.tell
    this.#timer = this.#after(0)
  }

  [Symbol.dispose](): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
  }

  #after(ms: number): NodeJS.Timeout {
    const look = () => {
      this.#look()
        // What cannot be read is not shown; the next look is near.
        .catch(() => undefined)
        .finally(() => {
          const isFirst = this.latest === undefined && this.#known.size === 0
          if (!this.#isStopped) this.#timer = this.#after(isFirst ? firstAfterMs : sampleEveryMs)
        })
    }
    return setTimeout(look, ms).unref()
  }

  async #look(): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const spanSeconds = this.#lastMs === undefined ? undefined : (nowMs - this.#lastMs) / 1_000
    this.#lastMs = nowMs
    const host = await this.#host(spanSeconds)
    const tasks: NodeUsage['tasks'][number][] = []
    const seen = new Set<TaskId>()
    for (const { taskId, pid } of this.#running()) {
      seen.add(taskId)
      const usage = await this.#task(taskId, pid, spanSeconds).catch(() => undefined)
      if (usage !== undefined) tasks.push({ taskId, ...usage })
    }
    for (const taskId of this.#known.keys()) if (!seen.has(taskId)) this.#known.delete(taskId)
    if (host === undefined || this.#isStopped) return
    this.latest = { at: this.#clock.now(), ...host, tasks }
    this.#tell(this.latest)
  }

  async #host(spanSeconds: number | undefined): Promise<Usage | undefined> {
    const seconds = hostCpuSeconds(await readFile('/proc/stat', 'utf8'))
    const before = this.#hostCpuSeconds
    this.#hostCpuSeconds = seconds
    if (before === undefined || spanSeconds === undefined) return undefined
    const cpu = Math.max(0, seconds - before) / spanSeconds
    return { cpu, memoryBytes: hostMemoryBytes(await readFile('/proc/meminfo', 'utf8')) }
  }

  async #task(taskId: TaskId, pid: number, spanSeconds: number | undefined): Promise<Usage | undefined> {
    const known = this.#known.get(taskId)
    const isSame = known?.pid === pid
    const files = isSame ? known.files : cgroupFiles(await readFile(`/proc/${String(pid)}/cgroup`, 'utf8'))
    if (files === undefined) return undefined
    const seconds = cpuSeconds(await readFile(files.cpu, 'utf8'), files.version)
    const before = isSame ? known.cpuSeconds : undefined
    this.#known.set(taskId, { pid, files, cpuSeconds: seconds })
    const [usage, stat] = await Promise.all([
      readFile(files.memory, 'utf8'),
      readFile(files.memoryStat, 'utf8'),
    ])
    const cpu =
      before === undefined || spanSeconds === undefined ? 0 : Math.max(0, seconds - before) / spanSeconds
    return { cpu, memoryBytes: memoryBytes(usage, stat, files.version) }
  }
}
