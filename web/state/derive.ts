import type { NodeRow, ServiceRow, TaskRow } from '../../src/api/dashboard/wire.ts'
import type { ClusterState } from './cluster.ts'

const ended = new Set(['complete', 'shutdown', 'failed', 'rejected', 'remove', 'orphaned'])
const failedStates = new Set(['failed', 'rejected', 'orphaned'])
const wantedStates = new Set(['new', 'pending', 'assigned', 'accepted', 'ready', 'running', 'complete'])

export const hasEnded = (task: TaskRow): boolean => ended.has(task.state)
export const hasFailed = (task: TaskRow): boolean => failedStates.has(task.state)
export const isWanted = (task: TaskRow): boolean => wantedStates.has(task.desired)

/** A failed task stays in sight for so long, so that one sees it fail. */
const failureShownMs = 20_000

/** Tasks that have a tile: those that are there, and those that failed just now. */
export function hasTile(task: TaskRow, now: number): boolean {
  if (!hasEnded(task)) return true
  return hasFailed(task) && now - task.since < failureShownMs
}

/** What colours a tile's edge and the word beside it. */
export type Tone = 'good' | 'busy' | 'bad' | 'idle'

export function toneOfTask(task: TaskRow): Tone {
  if (hasFailed(task) || task.health === 'unhealthy' || (task.error !== undefined && !hasEnded(task)))
    return 'bad'
  if (task.state === 'running') return isWanted(task) ? 'good' : 'idle'
  if (hasEnded(task)) return 'idle'
  return 'busy'
}

export interface ServiceCounts {
  readonly running: number
  readonly wanted: number
  readonly failed: number
  /** Why a task does not run, if one says so. */
  readonly problem: string | undefined
}

export function countsOf(state: ClusterState, service: ServiceRow): ServiceCounts {
  let running = 0
  let live = 0
  let failed = 0
  let problem: string | undefined
  for (const task of state.tasksOfService(service.id)) {
    if (hasFailed(task)) failed += 1
    if (!isWanted(task) || hasEnded(task)) continue
    live += 1
    if (task.state === 'running') running += 1
    else problem ??= task.error
  }
  return { running, wanted: service.replicas ?? live, failed, problem }
}

export function toneOfService(service: ServiceRow, counts: ServiceCounts): Tone {
  if (counts.problem !== undefined || service.update?.state.includes('paused') === true) return 'bad'
  if (counts.wanted === 0) return 'idle'
  return counts.running >= counts.wanted ? 'good' : 'busy'
}

export function toneOfNode(node: NodeRow): Tone {
  if (node.state !== 'ready') return 'bad'
  return node.availability === 'active' ? 'good' : 'busy'
}

/** Managers first and the leader before them, then by name as people count: worker2 before worker10. */
export function sortedNodes(state: ClusterState): NodeRow[] {
  const rank = (node: NodeRow) => (node.leader === true ? 0 : node.role === 'manager' ? 1 : 2)
  return [...state.nodes.values()].sort((a, b) => rank(a) - rank(b) || byName(a, b) || (a.id < b.id ? -1 : 1))
}

const collator = new Intl.Collator('en', { numeric: true })
export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  collator.compare(a.name, b.name)

export const taskName = (task: TaskRow): string =>
  task.slot > 0 ? `${task.serviceName}.${String(task.slot)}` : task.serviceName

/** Tiles of one service stand together, in the order of their slots. */
export const byPlace = (a: TaskRow, b: TaskRow): number =>
  collator.compare(a.serviceName, b.serviceName) || a.slot - b.slot || (a.id < b.id ? -1 : 1)

export interface Stack {
  readonly name: string
  readonly services: readonly ServiceRow[]
}

export function stacksOf(state: ClusterState): Stack[] {
  const stacks = new Map<string, ServiceRow[]>()
  for (const service of state.services.values()) {
    if (service.stack === undefined) continue
    const known = stacks.get(service.stack)
    if (known === undefined) stacks.set(service.stack, [service])
    else known.push(service)
  }
  return [...stacks].map(([name, services]) => ({ name, services: services.sort(byName) })).sort(byName)
}

export interface Totals {
  readonly nodes: number
  readonly nodesReady: number
  readonly running: number
  readonly wanted: number
  readonly services: number
  readonly servicesWell: number
  readonly problems: number
}

export function totalsOf(state: ClusterState): Totals {
  let nodesReady = 0
  let running = 0
  let wanted = 0
  let servicesWell = 0
  let problems = 0
  for (const node of state.nodes.values()) {
    if (node.state === 'ready') nodesReady += 1
    else problems += 1
  }
  for (const service of state.services.values()) {
    const counts = countsOf(state, service)
    running += counts.running
    wanted += counts.wanted
    const tone = toneOfService(service, counts)
    if (tone === 'bad') problems += 1
    else if (tone !== 'busy') servicesWell += 1
  }
  const nodes = state.nodes.size
  return { nodes, nodesReady, running, wanted, services: state.services.size, servicesWell, problems }
}

/** Every word of the query is somewhere in what is looked at. */
export function matches(query: string, ...texts: readonly (string | undefined)[]): boolean {
  if (query.trim() === '') return true
  const all = texts.join(' ').toLowerCase()
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word))
}
