import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import { isTerminal } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import type { Metric, Sample } from './render.ts'

export interface ClusterObjects {
  readonly nodes: Iterable<Node>
  readonly services: Iterable<Service>
  readonly tasks: Iterable<Task>
}

/** What a manager says of the whole cluster. Every manager says the same: ask one, or take the maximum. */
export function clusterMetrics({ nodes, services, tasks }: ClusterObjects): Metric[] {
  const states = new Counts(['state'])
  const running = new Map<string, number>()
  const wanted = new Map<string, number>()
  for (const task of tasks) {
    if (task.spec.runtime === 'attachment') continue
    states.add(task.status.state)
    if (isTerminal(task.status.state) || task.desiredState === 'shutdown' || task.desiredState === 'remove')
      continue
    wanted.set(task.serviceId, (wanted.get(task.serviceId) ?? 0) + 1)
    if (task.status.state === 'running') running.set(task.serviceId, (running.get(task.serviceId) ?? 0) + 1)
  }
  const kinds = new Counts(['role', 'state', 'availability'])
  for (const { spec, status } of nodes) kinds.add(status.role, status.state, spec.availability)
  const all = [...services]
  const perService = (value: (service: Service) => number): Sample[] =>
    all.map((service) => ({ labels: { service: service.spec.name }, value: value(service) }))
  return [
    gauge('mure_nodes', 'Nodes of the cluster.', kinds.samples()),
    gauge('mure_services', 'Services of the cluster.', [{ value: all.length }]),
    gauge('mure_tasks', 'Tasks that are remembered, by their state.', states.samples()),
    gauge(
      'mure_service_tasks_desired',
      'Tasks that a service should have.',
      perService(({ meta, spec }) =>
        spec.mode.type === 'replicated' ? (spec.mode.replicas ?? 1) : (wanted.get(meta.id) ?? 0),
      ),
    ),
    gauge(
      'mure_service_tasks_running',
      'Tasks of a service that run and are wanted.',
      perService(({ meta }) => running.get(meta.id) ?? 0),
    ),
  ]
}

export const gauge = (name: string, help: string, samples: readonly Sample[]): Metric => ({
  name,
  type: 'gauge',
  help,
  samples,
})

/** How many there are of each combination of labels. */
class Counts {
  readonly #names: readonly string[]
  readonly #counts = new Map<string, { readonly values: readonly string[]; count: number }>()

  constructor(names: readonly string[]) {
    this.#names = names
  }

  add(...values: readonly string[]): void {
    const key = values.join('\0')
    const known = this.#counts.get(key)
    if (known === undefined) this.#counts.set(key, { values, count: 1 })
    else known.count += 1
  }

  samples(): Sample[] {
    return [...this.#counts.values()].map(({ values, count }) => ({
      labels: Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? ''])),
      value: count,
    }))
  }
}
