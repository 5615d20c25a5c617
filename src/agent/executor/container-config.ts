import { defined } from '#lib/defined.ts'
import type { ContainerSpec, HealthCheck, Mount } from '#model/container.ts'
import type { Task } from '#model/task.ts'
import { taskLabels } from './labels.ts'
import { expandPlaceholders } from './placeholders.ts'
import type { PlaceholderNode } from './placeholders.ts'

export interface ContainerConfigOptions {
  readonly clusterId: string
  readonly node: PlaceholderNode
}

/** What the engine is asked to create for a task: the body of `POST /containers/create`. */
export function containerConfig(
  task: Task,
  container: ContainerSpec,
  options: ContainerConfigOptions,
): object {
  const expand = (text: string) => expandPlaceholders(text, task, options.node)
  const ports = task.ports.filter((port) => port.publishMode === 'host')
  return defined({
    Image: container.image,
    Hostname: container.hostname === undefined ? undefined : expand(container.hostname),
    User: container.user,
    Tty: container.tty,
    OpenStdin: container.openStdin,
    Env: container.env?.map(expand),
    Entrypoint: nonEmpty(container.command),
    Cmd: nonEmpty(container.args),
    WorkingDir: container.workingDirectory,
    Labels: { ...container.labels, ...taskLabels(task, options.clusterId) },
    StopSignal: container.stopSignal,
    Healthcheck: container.healthCheck && healthConfig(container.healthCheck),
    ExposedPorts: Object.fromEntries(
      ports.map((port) => [`${String(port.targetPort)}/${port.protocol}`, {}]),
    ),
    HostConfig: hostConfig(task, container, expand),
  })
}

const nonEmpty = <T>(list: readonly T[] | undefined): readonly T[] | undefined =>
  list === undefined || list.length === 0 ? undefined : list

const nanoseconds = (ms: number | undefined): number => Math.round((ms ?? 0) * 1e6)

const healthConfig = (health: HealthCheck): object => ({
  Test: health.test ?? [],
  Interval: nanoseconds(health.intervalMs),
  Timeout: nanoseconds(health.timeoutMs),
  StartPeriod: nanoseconds(health.startPeriodMs),
  Retries: health.retries ?? 0,
})

function hostConfig(task: Task, container: ContainerSpec, expand: (text: string) => string): object {
  const { limits, reservations } = task.spec.resources ?? {}
  const portBindings: Record<string, { HostPort: string }[]> = {}
  for (const port of task.ports) {
    if (port.publishMode !== 'host') continue
    const key = `${String(port.targetPort)}/${port.protocol}`
    const published = port.publishedPort ?? 0
    portBindings[key] = [...(portBindings[key] ?? []), { HostPort: published === 0 ? '' : String(published) }]
  }
  return defined({
    Init: container.init,
    ReadonlyRootfs: container.readOnly,
    Isolation: container.isolation,
    GroupAdd: container.groups,
    Mounts: (container.mounts ?? []).map((mount) => mountConfig(mount, expand)),
    ExtraHosts: container.hosts?.map(extraHost),
    Dns: container.dns?.nameservers,
    DnsSearch: container.dns?.search,
    DnsOptions: container.dns?.options,
    Sysctls: container.sysctls,
    CapAdd: container.capabilityAdd,
    CapDrop: container.capabilityDrop,
    Ulimits: container.ulimits?.map((limit) => ({ Name: limit.name, Soft: limit.soft, Hard: limit.hard })),
    OomScoreAdj: container.oomScoreAdj,
    SecurityOpt: securityOptions(container),
    LogConfig: task.spec.logDriver && {
      Type: task.spec.logDriver.name,
      Config: task.spec.logDriver.options ?? {},
    },
    NanoCpus: limits?.cpuNano,
    Memory: limits?.memoryBytes,
    MemoryReservation: reservations?.memoryBytes,
    MemorySwappiness: task.spec.resources?.swappiness,
    PidsLimit: limits?.pids === 0 ? undefined : limits?.pids,
    PortBindings: portBindings,
    // The orchestrator restarts tasks; an engine that did so too would make two of one.
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  })
}

/** `10.0.0.1 name` as Docker stores it, `name:10.0.0.1` as the engine wants it. */
function extraHost(line: string): string {
  const [address = '', ...names] = line.split(/\s+/)
  return names.length === 0 ? line : `${names[0] ?? ''}:${address}`
}

function securityOptions(container: ContainerSpec): string[] | undefined {
  const context = container.privileges?.seLinuxContext
  const options: string[] = []
  if (context?.disable === true) options.push('label=disable')
  for (const part of ['user', 'role', 'type', 'level'] as const)
    if ((context?.[part] ?? '') !== '') options.push(`label=${part}:${context?.[part] ?? ''}`)
  if (container.privileges?.noNewPrivileges === true) options.push('no-new-privileges')
  return options.length === 0 ? undefined : options
}

function mountConfig(mount: Mount, expand: (text: string) => string): object {
  return defined({
    Type: mount.type,
    Source: mount.source === undefined ? undefined : expand(mount.source),
    Target: expand(mount.target),
    ReadOnly: mount.readOnly,
    Consistency: mount.consistency,
    BindOptions:
      mount.bind && defined({ Propagation: mount.bind.propagation, NonRecursive: mount.bind.nonRecursive }),
    VolumeOptions:
      mount.volume &&
      defined({
        NoCopy: mount.volume.noCopy,
        Labels: mount.volume.labels,
        DriverConfig: mount.volume.driver && {
          Name: mount.volume.driver.name ?? '',
          Options: mount.volume.driver.options ?? {},
        },
      }),
    TmpfsOptions: mount.tmpfs && defined({ SizeBytes: mount.tmpfs.sizeBytes, Mode: mount.tmpfs.mode }),
  })
}
