import type { ContainerInspect, ContainerState } from '#engine/types.ts'
import type { Instant } from '#lib/clock.ts'
import { instant } from '#lib/clock.ts'
import type { PortSpec } from '#model/service.ts'
import type { ContainerStatus, Task } from '#model/task.ts'
import { hostModePorts, portKey } from './host-config.ts'
import type { ContainerPhase } from './step.ts'

/** A container as the engine shows it, in our words. */
export interface ObservedContainer {
  readonly phase: ContainerPhase
  readonly status: ContainerStatus
  /** The engine's own word on why it does not run, or ''. */
  readonly error: string
  readonly isOutOfMemory: boolean
  readonly hostPorts: readonly PortSpec[]
}

export function observe(seen: ContainerInspect, task: Task): ObservedContainer {
  const { State: state } = seen
  const phase = phaseOf(state)
  const hasEnded = phase === 'exited'
  const health = state.Health?.Status
  return {
    phase,
    error: state.Error,
    isOutOfMemory: state.OOMKilled,
    hostPorts: phase === 'running' ? openPorts(seen, task) : [],
    status: {
      name: '',
      containerId: seen.Id,
      pid: state.Pid,
      ...(hasEnded ? { exitCode: state.ExitCode } : {}),
      ...(health === undefined || health === 'none' ? {} : { health }),
      ...time('startedAt', state.StartedAt),
      ...(hasEnded ? time('finishedAt', state.FinishedAt) : {}),
    },
  }
}

/** One that was created a moment ago, without asking for it. */
export const freshContainer = (containerId: string): ObservedContainer => ({
  phase: 'created',
  status: { name: '', containerId, pid: 0 },
  error: '',
  isOutOfMemory: false,
  hostPorts: [],
})

function phaseOf({ Status: status, Running: isRunning }: ContainerState): ContainerPhase {
  if (status === 'removing') return 'removing'
  if (isRunning || status === 'paused' || status === 'restarting') return 'running'
  return status === 'created' ? 'created' : 'exited'
}

/** Go's zero time means never. */
function time<K extends string>(name: K, text: string): Partial<Record<K, Instant>> {
  if (text === '' || text.startsWith('0001-')) return {}
  return { [name]: instant(Date.parse(text)) } as Partial<Record<K, Instant>>
}

/** The host-mode ports as the engine opened them: it chooses those that were left open. */
function openPorts(seen: ContainerInspect, task: Task): PortSpec[] {
  const open = seen.NetworkSettings.Ports ?? {}
  const taken = new Map<string, number>()
  return hostModePorts(task).map((port) => {
    const key = portKey(port)
    // One container port may be published several times; the engine lists the bindings in the order asked for.
    const hostPorts = [...new Set(open[key]?.map((binding) => binding.HostPort))]
    const index = taken.get(key) ?? 0
    taken.set(key, index + 1)
    const bound = hostPorts[index] ?? hostPorts[0]
    return bound === undefined ? port : { ...port, publishedPort: Number(bound) }
  })
}
