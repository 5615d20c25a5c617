import { parseConstraint } from '../constraint.ts'
import { cronProblems } from '../cron/labels.ts'
import { parseDuration } from '../duration.ts'
import { rotateLabel, rotationOf } from '../rotate.ts'
import type { ResourceRequirements } from '../resources.ts'
import { strategyProblems } from '../scheduling.ts'
import type { PortSpec, ServiceSpec, TaskTemplate, UpdatePolicy } from '../service.ts'
import { updateDeadlineLabel } from '../update-deadline.ts'
import { containerProblems } from './container.ts'
import { nameProblem } from './name.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'
import { placeholderProblems } from './templates.ts'

const minimumMemoryBytes = 4 * 1024 * 1024
const minimumCpuNano = 1e6

/** Everything that can be said against a service's spec without knowing the cluster. Words follow swarmkit's. */
export function serviceProblems(spec: ServiceSpec): Problem[] {
  return [
    ...nameProblem('service', spec.name),
    ...modeProblems(spec),
    ...templateProblems(spec.template),
    ...updateProblems('UpdateConfig', spec.update),
    ...updateProblems('RollbackConfig', spec.rollback),
    ...endpointProblems(spec),
    ...strategyProblems(spec.labels),
    ...placeholderProblems(spec),
    ...labelProblems(spec),
    ...cronProblems(spec.labels),
  ]
}

/** Labels of ours mean what they say, or nothing is stored. */
function labelProblems({ labels }: ServiceSpec): Problem[] {
  const deadline = labels[updateDeadlineLabel]
  if (deadline !== undefined && (parseDuration(deadline) ?? 0) <= 0)
    return problem(
      'Labels',
      `the label ${updateDeadlineLabel} is a duration such as "90s" or "10m", not "${deadline}"`,
    )
  if (rotationOf(labels) !== undefined) return []
  return problem(
    'Labels',
    `the label ${rotateLabel} is "restart", "file" or "signal:NAME" (such as signal:HUP), not "${labels[rotateLabel] ?? ''}"`,
  )
}

function modeProblems({ mode, update }: ServiceSpec): Problem[] {
  if (mode.type === 'replicated' && (mode.replicas ?? 0) < 0)
    return problem('Mode.Replicated.Replicas', 'Number of replicas must be non-negative')
  if (mode.type === 'replicated-job') {
    if ((mode.maxConcurrent ?? 1) < 0)
      return problem('Mode.ReplicatedJob', 'Maximum concurrent jobs must not be negative')
    if ((mode.totalCompletions ?? 0) < 0)
      return problem('Mode.ReplicatedJob', 'Total completed jobs must not be negative')
  }
  if (mode.type.endsWith('-job') && update !== undefined)
    return problem('UpdateConfig', 'Jobs may not have an update config')
  return []
}

function templateProblems(template: TaskTemplate): Problem[] {
  const { restart, placement } = template
  const problems: Problem[] = []
  for (const container of template.containers) problems.push(...containerProblems(container))
  if (template.resources !== undefined) problems.push(...resourceProblems(template.resources))
  if ((template.forceUpdate ?? 0) < 0)
    problems.push(...problem('ForceUpdate', 'ForceUpdate must not be negative'))
  if ((restart?.delayMs ?? 0) < 0)
    problems.push(...problem('RestartPolicy.Delay', 'TaskSpec: restart-delay cannot be negative'))
  if ((restart?.windowMs ?? 0) < 0)
    problems.push(...problem('RestartPolicy.Window', 'TaskSpec: restart-window cannot be negative'))
  if ((restart?.maxAttempts ?? 0) < 0)
    problems.push(
      ...problem('RestartPolicy.MaxAttempts', 'TaskSpec: restart-max-attempts cannot be negative'),
    )
  for (const text of placement?.constraints ?? []) {
    const parsed = parseConstraint(text)
    if ('refusal' in parsed) problems.push(...problem('Placement.Constraints', parsed.refusal))
  }
  if ((placement?.maxReplicasPerNode ?? 0) < 0)
    problems.push(...problem('Placement.MaxReplicas', 'Placement: max replicas per node cannot be negative'))
  return problems
}

/** As Go's %g writes it: 1e-06. */
const goNumber = (value: number): string =>
  Math.abs(value) < 1e-4 && value !== 0 ? value.toExponential().replace(/e-(\d)$/, 'e-0$1') : String(value)

function resourceProblems({ limits, reservations }: ResourceRequirements): Problem[] {
  const problems: Problem[] = []
  for (const [path, part] of [
    ['Limits', limits],
    ['Reservations', reservations],
  ] as const) {
    if (part === undefined) continue
    const cpu = part.cpuNano ?? 0
    const memory = part.memoryBytes ?? 0
    if (cpu !== 0 && cpu < minimumCpuNano)
      problems.push(
        ...problem(
          path,
          `invalid cpu value ${goNumber(cpu / 1e9)}: Must be at least ${String(minimumCpuNano / 1e9)}`,
        ),
      )
    if (memory !== 0 && memory < minimumMemoryBytes)
      problems.push(...problem(path, `invalid memory value ${String(memory)}: Must be at least 4MiB`))
  }
  const above = (a: number | undefined, b: number | undefined) =>
    (a ?? 0) > 0 && (b ?? 0) > 0 && (a ?? 0) > (b ?? 0)
  if (above(reservations?.memoryBytes, limits?.memoryBytes))
    problems.push(...problem('Reservations', 'the memory reservation is above the memory limit'))
  if (above(reservations?.cpuNano, limits?.cpuNano))
    problems.push(...problem('Reservations', 'the CPU reservation is above the CPU limit'))
  for (const resource of reservations?.generic ?? [])
    if (resource.kind === '' || ('count' in resource && resource.count < 0))
      problems.push(
        ...problem('Reservations.GenericResources', 'a generic resource has a name and no negative count'),
      )
  if ((limits?.pids ?? 0) < 0) problems.push(...problem('Limits.Pids', 'the pids limit must not be negative'))
  return problems
}

function updateProblems(path: string, policy: UpdatePolicy | undefined): Problem[] {
  if (policy === undefined) return []
  if ((policy.delayMs ?? 0) < 0) return problem(path, 'TaskSpec: update-delay cannot be negative')
  if ((policy.monitorMs ?? 0) < 0) return problem(path, 'TaskSpec: update-monitor cannot be negative')
  if ((policy.parallelism ?? 0) < 0) return problem(path, 'TaskSpec: update-parallelism cannot be negative')
  const ratio = policy.maxFailureRatio ?? 0
  if (ratio < 0 || ratio > 1)
    return problem(path, 'TaskSpec: update-maxfailureratio cannot be less than 0 or bigger than 1')
  return []
}

function endpointProblems({ endpoint }: ServiceSpec): Problem[] {
  const ports = endpoint?.ports ?? []
  const problems: Problem[] = []
  const published = new Set<string>()
  for (const port of ports) {
    problems.push(...portProblems(port))
    if (port.publishMode === 'ingress' && endpoint?.mode === 'dnsrr')
      problems.push(
        ...problem(
          'EndpointSpec',
          "EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
        ),
      )
    if ((port.publishedPort ?? 0) === 0) continue
    const key = `${String(port.publishedPort)}/${port.protocol}`
    if (published.has(key))
      problems.push(...problem('EndpointSpec', 'EndpointSpec: duplicate published ports provided'))
    published.add(key)
  }
  return problems
}

function portProblems(port: PortSpec): Problem[] {
  if (port.targetPort < 1 || port.targetPort > 65_535)
    return problem(
      'EndpointSpec.Ports',
      `EndpointSpec: target port ${String(port.targetPort)} must be between 1 and 65535`,
    )
  const published = port.publishedPort ?? 0
  if (published < 0 || published > 65_535)
    return problem(
      'EndpointSpec.Ports',
      `EndpointSpec: published port ${String(published)} must be between 0 and 65535`,
    )
  return []
}
