import type { NodeUsage } from '#model/usage.ts'
import { gauge } from './cluster-metrics.ts'
import type { Metric } from './render.ts'

export interface ProcessFacts {
  readonly cpuSeconds: number
  readonly residentBytes: number
  readonly startedAtSeconds: number
  readonly eventLoopDelaySeconds: number
}

/** What every host says of itself, of the tasks that it runs, and of the daemon. */
export function nodeMetrics(
  usage: NodeUsage | undefined,
  daemon: ProcessFacts,
  node: { readonly isManager: boolean; readonly isStale: boolean; readonly version: string },
): Metric[] {
  const tasks = usage?.tasks ?? []
  return [
    gauge('mure_build_info', 'The version that runs here.', [
      { labels: { version: node.version }, value: 1 },
    ]),
    gauge('mure_manager', 'Whether this node is a manager.', [{ value: Number(node.isManager) }]),
    gauge('mure_manager_has_quorum', 'Whether this manager is in contact with a majority.', [
      ...(node.isManager ? [{ value: Number(!node.isStale) }] : []),
    ]),
    gauge('mure_node_cpu_cores', 'Processor cores in use on this host.', [
      ...(usage === undefined ? [] : [{ value: usage.cpu }]),
    ]),
    gauge('mure_node_memory_bytes', 'Memory in use on this host.', [
      ...(usage === undefined ? [] : [{ value: usage.memoryBytes }]),
    ]),
    gauge(
      'mure_task_cpu_cores',
      'Processor cores that a task on this host uses.',
      tasks.map(({ taskId, cpu }) => ({ labels: { task: taskId }, value: cpu })),
    ),
    gauge(
      'mure_task_memory_bytes',
      'Memory that a task on this host uses.',
      tasks.map(({ taskId, memoryBytes }) => ({ labels: { task: taskId }, value: memoryBytes })),
    ),
    {
      name: 'process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of the daemon.',
      samples: [{ value: daemon.cpuSeconds }],
    },
    gauge('process_resident_memory_bytes', 'Memory of the daemon.', [{ value: daemon.residentBytes }]),
    gauge('process_start_time_seconds', 'When the daemon was started, since 1970.', [
      { value: daemon.startedAtSeconds },
    ]),
    gauge('mure_event_loop_delay_seconds', 'How late the daemon is, at worst since the last look.', [
      { value: daemon.eventLoopDelaySeconds },
    ]),
  ]
}
