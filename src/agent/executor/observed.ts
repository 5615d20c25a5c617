import type { ContainerInspect } from '#engine/types.ts'
import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { ContainerSpec } from '#model/container.ts'
import type { PortSpec } from '#model/service.ts'
import type { ContainerStatus, Task } from '#model/task.ts'
import type { ContainerPhase } from './step.ts'

/** A container as the engine shows it, in our words. */
export interface ObservedContainer {
  readonly phase: ContainerPhase
  readonly status: ContainerStatus
  /** The engine's own error of a start that failed. */
  readonly error: string
  readonly oomKilled: boolean
  readonly hostPorts: readonly PortSpec[]
}

export function observe(seen: ContainerInspect, task: Task): ObservedContainer {
  const { State: state } = seen
  const phase: ContainerPhase =
    state.Running || state.Status === 'paused' || state.Status === 'restarting'
      ? 'running'
      : state.Status === 'created'
        ? 'created'
        : 'exited'
  const health = state.Health?.Status
  return {
    phase,
    error: state.Error,
    oomKilled: state.OOMKilled,
    hostPorts: phase === 'running' ? hostPorts(seen, task) : [],
    status: {
      name: '',
      containerId: seen.Id,
      pid: state.Pid,
      ...(phase === 'exited' ? { exitCode: state.ExitCode } : {}),
      ...(health === undefined || health === 'none' ? {} : { health }),
      ...optionalTime('startedAt', state.StartedAt),
      ...(phase === 'exited' ? optionalTime('finishedAt', state.FinishedAt) : {}),
    },
  }
}

/** Go's zero time means never. */
function optionalTime<K extends string>(name: K, text: string): Partial<Record<K, Instant>> {
  if (text === '' || text.startsWith('0001-')) return {}
  return { [name]: instant(Date.parse(text)) } as Partial<Record<K, Instant>>
}

function hostPorts(seen: ContainerInspect, task: Task): PortSpec[] {
  const open = seen.NetworkSettings.Ports ?? {}
  return task.ports
    .filter((port) => port.publishMode === 'host')
    .map((port) => {
      const bound = open[`${String(port.targetPort)}/${port.protocol}`]?.[0]?.HostPort
      return bound === undefined ? port : { ...port, publishedPort: Number(bound) }
    })
}

/** Whether a task counts as running only once its container is healthy: it has a check of its own, or the image does. */
export function awaitsHealth(container: ContainerSpec | undefined, observed: ObservedContainer): boolean {
  if (container?.healthCheck?.test?.[0] === 'NONE') return false
  return observed.status.health === 'starting'
}
