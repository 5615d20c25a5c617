import { defined } from '#lib/defined.ts'
import { errorText, MureError } from '#lib/errors.ts'
import type { ContainerSpec, HealthCheck } from '#model/container.ts'
import type { GenericResource } from '#model/resources.ts'
import type { Task } from '#model/task.ts'
import type { Attached } from './attachments.ts'
import type { BoundFile } from './files/task-files.ts'
import { hostConfig, hostModePorts, portKey } from './host-config.ts'
import { taskLabels } from './labels.ts'
import { expandPlaceholders } from '#model/placeholders.ts'
import type { PlaceholderNode } from '#model/placeholders.ts'

export interface ContainerConfigOptions {
  readonly clusterId: string
  readonly node: PlaceholderNode
  readonly attached: Attached
  /** Secrets and configs. */
  readonly files: readonly BoundFile[]
}

/**
 * What the engine is asked to create for a task: the body of `POST /containers/create`. Throws `invalid` or
 * `unsupported` for a task that can run nowhere.
 */
export function containerConfig(
  task: Task,
  container: ContainerSpec,
  options: ContainerConfigOptions,
): object {
  refuseWhatIsNotDone(task)
  const { endpoints } = options.attached
  const expandIn = (place: string) => (text: string) => {
    try {
      return expandPlaceholders(text, task, options.node)
    } catch (error) {
      throw new MureError('invalid', `expanding ${place} failed: ${errorText(error)}`, { cause: error })
    }
  }
  return defined({
    Image: container.image,
    Hostname: container.hostname === undefined ? undefined : expandIn('hostname')(container.hostname),
    User: container.user,
    Tty: container.tty,
    OpenStdin: container.openStdin,
    Env: environment(task, container, expandIn('env')),
    Entrypoint: nonEmpty(container.command),
    Cmd: nonEmpty(container.args),
    WorkingDir: container.workingDirectory,
    Labels: { ...container.labels, ...taskLabels(task, options.clusterId) },
    StopSignal: container.stopSignal,
    // For whoever else stops it: a person, or the engine when it goes down.
    StopTimeout:
      container.stopGracePeriodMs === undefined ? undefined : Math.ceil(container.stopGracePeriodMs / 1_000),
    Healthcheck: container.healthCheck && healthConfig(container.healthCheck),
    ExposedPorts: Object.fromEntries(hostModePorts(task).map((port) => [portKey(port), {}])),
    HostConfig: hostConfig(task, container, options, expandIn('mounts')),
    NetworkingConfig: endpoints && { EndpointsConfig: endpoints },
  })
}

/** A task that would silently lack a part of what it was promised does not start at all. */
function refuseWhatIsNotDone(task: Task): void {
  const { spec } = task
  const missing =
    spec.containers.length > 1 || (spec.initContainers?.length ?? 0) > 0
      ? 'tasks of more than one container'
      : undefined
  if (missing !== undefined) throw new MureError('unsupported', `this agent does not offer ${missing}`)
}

/** Only values are templates. Reserved generic resources are told as Swarm tells them. */
function environment(
  task: Task,
  container: ContainerSpec,
  expand: (text: string) => string,
): string[] | undefined {
  const given = (container.env ?? []).map((line) => {
    const at = line.indexOf('=')
    return at < 0 ? line : line.slice(0, at + 1) + expand(line.slice(at + 1))
  })
  return nonEmpty([...given, ...genericVariables(task.genericResources ?? [])])
}

/** `DOCKER_RESOURCE_GPU=uuid1,uuid2`, or the count of what has no names. */
function genericVariables(resources: readonly GenericResource[]): string[] {
  const byKind = new Map<string, string[]>()
  for (const resource of resources) {
    const value = 'count' in resource ? String(resource.count) : resource.value
    byKind.set(resource.kind, [...(byKind.get(resource.kind) ?? []), value])
  }
  return [...byKind].map(([kind, values]) => `DOCKER_RESOURCE_${kind.toUpperCase()}=${values.join(',')}`)
}

function nonEmpty<T>(list: T[] | undefined): T[] | undefined
function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined
function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list
}

const nanoseconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 1e6)

const healthConfig = (health: HealthCheck): object =>
  defined({
    Test: health.test,
    Interval: nanoseconds(health.intervalMs),
    Timeout: nanoseconds(health.timeoutMs),
    StartPeriod: nanoseconds(health.startPeriodMs),
    StartInterval: nanoseconds(health.startIntervalMs),
    Retries: health.retries,
  })
