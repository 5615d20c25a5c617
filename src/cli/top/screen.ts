import { table } from '../table.ts'

export interface TopAnswer {
  readonly nodes: readonly {
    readonly name: string
    readonly state: string
    readonly availability: string
    readonly role: string
    readonly cpus: number
    readonly memoryBytes: number
    readonly cpu?: number
    readonly memory?: number
  }[]
  readonly tasks: readonly {
    readonly id: string
    readonly name: string
    readonly node: string
    readonly since: number
    readonly cpu?: number
    readonly memory?: number
  }[]
}

export type Order = 'cpu' | 'memory' | 'name'

export interface Screen {
  readonly columns: number
  readonly rows: number
  readonly order: Order
  readonly now: number
}

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`

/** Nodes, then as many tasks as have room, the busiest first. Lines are cut to the screen. */
export function renderTop({ nodes, tasks }: TopAnswer, screen: Screen): string[] {
  const ready = nodes.filter(({ state }) => state === 'ready').length
  const head = `mure top - ${String(ready)}/${String(nodes.length)} nodes ready, ${String(tasks.length)} tasks running - by ${screen.order} (c, m, n; q ends)`
  const rows = barSizes.map((cells) => nodeTable(nodes, cells))
  const nodeLines =
    rows.find((lines) => lines.every((line) => line.length <= screen.columns)) ?? rows.at(-1) ?? []
  const taskLines = table(
    ['TASK', 'ID', 'NODE', 'CPU %', 'MEMORY', 'UP'],
    [...tasks].sort(by(screen.order)).map((task) => ({
      TASK: task.name,
      ID: task.id.slice(0, 12),
      NODE: task.node,
      'CPU %': task.cpu === undefined ? '-' : (task.cpu * 100).toFixed(1),
      MEMORY: task.memory === undefined ? '-' : mib(task.memory),
      UP: age(screen.now - task.since),
    })),
  ).split('\n')
  const shownNodes = nodeLines.slice(0, Math.max(2, Math.floor(screen.rows / 2)))
  const lines = [head, '', ...shownNodes, '', ...taskLines].slice(0, screen.rows - 1)
  const titles = new Set([0, 2, shownNodes.length + 3])
  return lines.map((line, place) => {
    const cut = line.slice(0, screen.columns)
    return titles.has(place) ? bold(cut) : cut
  })
}

function nodeTable(nodes: TopAnswer['nodes'], cells: number): string[] {
  const rows = [...nodes]
    .sort((a, b) => compareNames(a.name, b.name))
    .map((node) => ({
      NODE: node.name,
      STATE: node.availability === 'active' ? node.state : `${node.state}, ${node.availability}`,
      ROLE: node.role,
      CPU: node.cpu === undefined ? '-' : `${node.cpu.toFixed(2)}/${String(node.cpus)}`,
      'CPU %': bar(node.cpu, node.cpus, cells),
      MEMORY: node.memory === undefined ? '-' : `${mib(node.memory)}/${mib(node.memoryBytes)}`,
      'MEM %': bar(node.memory, node.memoryBytes, cells),
    }))
  return table(['NODE', 'STATE', 'ROLE', 'CPU', 'CPU %', 'MEMORY', 'MEM %'], rows).split('\n')
}

function by(order: Order): (a: TopAnswer['tasks'][number], b: TopAnswer['tasks'][number]) => number {
  const byName = (a: { name: string }, b: { name: string }) => compareNames(a.name, b.name)
  if (order === 'name') return byName
  return (a, b) => (b[order] ?? -1) - (a[order] ?? -1) || byName(a, b)
}

const collator = new Intl.Collator('en', { numeric: true })
const compareNames = (a: string, b: string): number => collator.compare(a, b)

/** The longest that leaves room for the rest is taken. */
const barSizes = [10, 6, 0]

function bar(value: number | undefined, of: number, cells: number): string {
  const gap = cells === 0 ? '' : ' '
  if (value === undefined || of <= 0) return '-'.padEnd(cells + gap.length + 4)
  const share = Math.min(1, value / of)
  const filled = Math.round(share * cells)
  return `${'█'.repeat(filled)}${'░'.repeat(cells - filled)}${gap}${String(Math.round(share * 100)).padStart(3)}%`
}

function mib(bytes: number): string {
  const value = bytes / 1024 / 1024
  return value >= 1024 ? `${(value / 1024).toFixed(1)}G` : `${value.toFixed(value < 10 ? 1 : 0)}M`
}

function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000))
  if (seconds < 60) return `${String(seconds)}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${String(minutes)}m`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${String(hours)}h` : `${String(Math.floor(hours / 24))}d`
}
