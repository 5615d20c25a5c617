import { parseAddress } from '../address.ts'
import type { ContainerSpec } from '../container.ts'
import { capabilityProblems } from './capabilities.ts'
import { fileProblems } from './files.ts'
import { mountProblems } from './mounts.ts'
import type { Problem } from './problem.ts'
import { problem } from './problem.ts'

const reference = /^[a-z0-9][a-zA-Z0-9._:/@-]*$|^[a-zA-Z0-9.:-]+\/[a-z0-9._/-]+(?:[:@][\w.:-]+)*$/

/** What can be said against a container without knowing the cluster. Words are swarmkit's, or the engine's. */
export function containerProblems(container: ContainerSpec): Problem[] {
  return [
    ...imageProblems(container.image),
    ...mountProblems(container.mounts ?? []),
    ...healthProblems(container.healthCheck),
    ...fileProblems(container),
    ...capabilityProblems('CapAdd', container.capabilityAdd),
    ...capabilityProblems('CapDrop', container.capabilityDrop),
    ...ulimitProblems(container.ulimits),
    ...otherProblems(container),
  ]
}

function imageProblems(image: string): Problem[] {
  if (image === '') return problem('ContainerSpec.Image', 'ContainerSpec: image reference must be provided')
  const [first = ''] = image.split('/')
  const isBare = !image.includes('/')
  const wellFormed =
    reference.test(image) &&
    !image.includes('//') &&
    !(isBare && /[A-Z]/.test(first.split(/[:@]/)[0] ?? '')) &&
    // A bare name has one tag; of a host and port there is always a path.
    !(isBare && /:.*:/.test(image.split('@')[0] ?? ''))
  return wellFormed
    ? []
    : problem('ContainerSpec.Image', `ContainerSpec: "${image}" is not a valid repository/tag`)
}

function healthProblems(health: ContainerSpec['healthCheck']): Problem[] {
  if (health === undefined) return []
  const durations = [
    ['Interval', health.intervalMs],
    ['Timeout', health.timeoutMs],
    ['StartPeriod', health.startPeriodMs],
    ['StartInterval', health.startIntervalMs],
  ] as const
  const problems = durations.flatMap(([name, ms = 0]) =>
    ms !== 0 && ms < 1
      ? problem(
          `ContainerSpec.Healthcheck.${name}`,
          `ContainerSpec: ${name} in HealthConfig cannot be less than 1ms`,
        )
      : [],
  )
  if ((health.retries ?? 0) >= 0) return problems
  return [
    ...problems,
    ...problem(
      'ContainerSpec.Healthcheck.Retries',
      'ContainerSpec: Retries in HealthConfig cannot be negative',
    ),
  ]
}

/** Names that the kernel has a limit for. */
const ulimits = new Set([
  ...['core', 'cpu', 'data', 'fsize', 'locks', 'memlock', 'msgqueue', 'nice'],
  ...['nofile', 'nproc', 'rss', 'rtprio', 'rttime', 'sigpending', 'stack'],
])

function ulimitProblems(limits: ContainerSpec['ulimits'] = []): Problem[] {
  return limits.flatMap(({ name, soft, hard }) => {
    if (!ulimits.has(name)) return problem('ContainerSpec.Ulimits', `invalid ulimit type: ${name}`)
    if (hard === -1 || (soft !== -1 && soft <= hard)) return []
    return problem(
      'ContainerSpec.Ulimits',
      `ulimit soft limit must be less than or equal to hard limit: ${String(soft)} > ${String(hard)}`,
    )
  })
}

function otherProblems(container: ContainerSpec): Problem[] {
  const problems: Problem[] = []
  const { credentialSpec } = container.privileges ?? {}
  if ((container.stopGracePeriodMs ?? 0) < 0)
    problems.push(
      ...problem('ContainerSpec.StopGracePeriod', 'ContainerSpec: the stop grace period cannot be negative'),
    )
  if (credentialSpec?.config || credentialSpec?.file || credentialSpec?.registry)
    problems.push(
      ...problem(
        'ContainerSpec.Privileges',
        'credential specs are a feature of Windows; Mure runs Linux containers',
      ),
    )
  const isolation = container.isolation ?? ''
  if (isolation !== '' && isolation !== 'default')
    problems.push(...problem('ContainerSpec.Isolation', `invalid isolation '${isolation}' on linux`))
  for (const line of container.env ?? [])
    if (line.startsWith('=') || line === '')
      problems.push(...problem('ContainerSpec.Env', `invalid environment variable: ${line}`))
  for (const address of container.dns?.nameservers ?? [])
    if (parseAddress(address) === undefined)
      problems.push(...problem('ContainerSpec.DNSConfig', `${address} is not an ip address`))
  for (const name of Object.keys(container.sysctls ?? {}))
    if (!/^[\w-]+(?:[./][\w*-]+)+$/.test(name))
      problems.push(...problem('ContainerSpec.Sysctls', `sysctl '${name}' is not of the form name.name`))
  return problems
}
