import { defined } from '#lib/defined.ts'
import type { ContainerSpec, Privileges } from '#model/container.ts'
import type { PortSpec } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { Attached } from './attachments.ts'
import type { BoundFile } from './files/task-files.ts'
import { mountConfig } from './mount-config.ts'

/** The engine's `HostConfig`. */
export function hostConfig(
  task: Task,
  container: ContainerSpec,
  { attached, files }: { readonly attached: Attached; readonly files: readonly BoundFile[] },
  expand: (text: string) => string,
): object {
  const { dns } = container
  return defined({
    Init: container.init,
    ReadonlyRootfs: container.readOnly,
    Isolation: container.isolation,
    GroupAdd: container.groups,
    Mounts: [
      ...(container.mounts ?? []).map((mount) => mountConfig(mount, expand)),
      ...files.map(({ source, target }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: true,
      })),
    ],
    ExtraHosts: container.hosts?.flatMap(extraHost),
    // The cluster's names are known to the first; it leaves all else to those that the task names.
    Dns: nonEmpty([...(attached.nameservers ?? []), ...(dns?.nameservers ?? [])]),
    DnsSearch: dns?.search,
    DnsOptions: dns?.options,
    Sysctls: container.sysctls,
    CapAdd: container.capabilityAdd,
    CapDrop: container.capabilityDrop,
    Ulimits: container.ulimits?.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    OomScoreAdj: container.oomScoreAdj,
    SecurityOpt: container.privileges && securityOptions(container.privileges),
    LogConfig: task.spec.logDriver && {
      Type: task.spec.logDriver.name,
      Config: task.spec.logDriver.options ?? {},
    },
    NetworkMode: attached.networkMode,
    PortBindings: portBindings(hostModePorts(task)),
    // The orchestrator restarts tasks; an engine that did so too would make two of one.
    RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
    ...resources(task),
  })
}

export const hostModePorts = (task: Task): PortSpec[] =>
  task.ports.filter((port) => port.publishMode === 'host')

export const portKey = (port: PortSpec): string => `${String(port.targetPort)}/${port.protocol}`

/** Without a published port the engine chooses one. */
function portBindings(ports: readonly PortSpec[]): Record<string, { HostPort: string }[]> {
  const bindings: Record<string, { HostPort: string }[]> = {}
  for (const port of ports) {
    const published = port.publishedPort ?? 0
    ;(bindings[portKey(port)] ??= []).push({ HostPort: published === 0 ? '' : String(published) })
  }
  return bindings
}

/** Limits alone: what is reserved concerns the scheduler, not the kernel. Swap comes on top of memory, as Docker counts it. */
function resources(task: Task): object {
  const { limits, swapBytes, swappiness } = task.spec.resources ?? {}
  const memory = positive(limits?.memoryBytes)
  return defined({
    NanoCpus: positive(limits?.cpuNano),
    Memory: memory,
    MemorySwap:
      memory === undefined || swapBytes === undefined ? undefined : swapBytes < 0 ? -1 : memory + swapBytes,
    MemorySwappiness: swappiness,
    PidsLimit: positive(limits?.pids),
  })
}

const positive = (amount: number | undefined): number | undefined =>
  amount === undefined || amount <= 0 ? undefined : amount

/** `10.0.0.1 name alias…` as Docker stores it, `name:10.0.0.1` as the engine wants it. Docker ignores the aliases. */
function extraHost(line: string): string[] {
  const [address = '', name] = line.trim().split(/\s+/)
  return name === undefined ? [] : [`${name}:${address}`]
}

function securityOptions(privileges: Privileges): string[] {
  const { credentialSpec, seLinuxContext, seccomp, appArmor } = privileges
  const options: string[] = []
  for (const source of ['config', 'file', 'registry'] as const)
    if ((credentialSpec?.[source] ?? '') !== '')
      options.push(`credentialspec=${source}://${credentialSpec?.[source] ?? ''}`)
  if (seLinuxContext?.disable === true) options.push('label=disable')
  for (const part of ['user', 'role', 'level', 'type'] as const)
    if ((seLinuxContext?.[part] ?? '') !== '') options.push(`label=${part}:${seLinuxContext?.[part] ?? ''}`)
  if (seccomp?.mode === 'unconfined') options.push('seccomp=unconfined')
  // Docker carries the profile as base64 of its text.
  if (seccomp?.mode === 'custom')
    options.push(`seccomp=${Buffer.from(seccomp.profile ?? '', 'base64').toString()}`)
  if (appArmor?.mode === 'disabled') options.push('apparmor=unconfined')
  if (privileges.noNewPrivileges === true) options.push('no-new-privileges=true')
  return options
}

const nonEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list)
