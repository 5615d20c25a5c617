/** Where the kernel accounts for a container's processor time and memory. */
export interface CgroupFiles {
  readonly cpu: string
  readonly memory: string
  readonly memoryStat: string
  readonly version: 1 | 2
}

const root = '/sys/fs/cgroup'

/**
 * From a process's `/proc/PID/cgroup`; undefined where it has none of its own.
 * @see https://docs.kernel.org/admin-guide/cgroup-v1/cgroups.html and cgroup-v2.html
 */
export function cgroupFiles(text: string): CgroupFiles | undefined {
  const byController = new Map<string, { folder: string; path: string }>()
  let unified: string | undefined
  for (const line of text.split('\n')) {
    const [, names, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (names === undefined || path === undefined) continue
    if (names === '') unified = path
    else for (const name of names.split(',')) byController.set(name, { folder: names, path })
  }
  const cpu = byController.get('cpuacct')
  const memory = byController.get('memory')
  if (cpu !== undefined && memory !== undefined) {
    if (cpu.path === '/' || memory.path === '/') return undefined
    return {
      version: 1,
      cpu: `${root}/cpuacct${cpu.path}/cpuacct.usage`,
      memory: `${root}/memory${memory.path}/memory.usage_in_bytes`,
      memoryStat: `${root}/memory${memory.path}/memory.stat`,
    }
  }
  if (unified === undefined || unified === '/') return undefined
  const folder = `${root}${unified}`
  return {
    version: 2,
    cpu: `${folder}/cpu.stat`,
    memory: `${folder}/memory.current`,
    memoryStat: `${folder}/memory.stat`,
  }
}

/** Processor time so far, in seconds. */
export function cpuSeconds(text: string, version: 1 | 2): number {
  if (version === 1) return Number(text.trim()) / 1e9
  return Number(/^usage_usec (\d+)$/m.exec(text)?.[1] ?? 0) / 1e6
}

/** As `docker stats` has it: without the page cache that would be given back first. */
export function memoryBytes(usage: string, stat: string, version: 1 | 2): number {
  const name = version === 1 ? 'total_inactive_file' : 'inactive_file'
  const cache = Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  const all = Number(usage.trim())
  return cache < all ? all - cache : all
}

/** Of `/proc/stat`: processor time so far of all cores together, in seconds, idle time left out. */
export function hostCpuSeconds(text: string): number {
  const [, rest] = /^cpu +(.*)$/m.exec(text) ?? []
  const ticks = (rest ?? '').split(' ').map(Number)
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = ticks
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond
}

/** Linux has shown a hundred a second to programs since long before containers. */
const ticksPerSecond = 100

/** Of `/proc/meminfo`: what is not available to a new program. */
export function hostMemoryBytes(text: string): number {
  const kib = (name: string) => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0)
  return Math.max(0, kib('MemTotal') - kib('MemAvailable')) * 1024
}
