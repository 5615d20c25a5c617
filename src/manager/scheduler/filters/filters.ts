import { architectures, meetsConstraints, parseConstraint } from '#model/constraint.ts'
import type { Constraint } from '#model/constraint.ts'
import type { Taint } from '#model/node.ts'
import type { Toleration } from '#model/service.ts'
import { hostPortsOf } from '../node-info.ts'
import { onNodes } from './filter.ts'
import type { Filter } from './filter.ts'

const ready: Filter = {
  name: 'ready',
  prepare: () => (info) => info.node.status.state === 'ready' && info.node.spec.availability === 'active',
  explain: (nodes) => `${onNodes(nodes)} not available for new tasks`,
}

const resources: Filter = {
  name: 'resources',
  prepare(task) {
    const reserved = task.spec.resources?.reservations
    if (reserved === undefined) return undefined
    const { cpuNano = 0, memoryBytes = 0, generic = [] } = reserved
    if (cpuNano === 0 && memoryBytes === 0 && generic.length === 0) return undefined
    const wanted = new Map<string, number>()
    for (const item of generic)
      wanted.set(item.kind, (wanted.get(item.kind) ?? 0) + ('count' in item ? item.count : 1))
    return (info) =>
      info.cpuNanoFree >= cpuNano &&
      info.memoryBytesFree >= memoryBytes &&
      [...wanted].every(([kind, count]) => info.genericFree(kind) >= count)
  },
  explain: (nodes) => `insufficient resources on ${onNodes(nodes)}`,
}

const plugins: Filter = {
  name: 'plugins',
  prepare(task) {
    const volumeDrivers = task.spec.containers.flatMap((container) =>
      (container.mounts ?? []).flatMap((mount) => mount.volume?.driver?.name ?? []),
    )
    const logDriver = task.spec.logDriver?.name
    const wanted = [
      ...volumeDrivers
        .filter((name) => name !== '' && name !== 'local')
        .map((name) => ({ type: 'Volume', name })),
      ...(logDriver === undefined || logDriver === '' || logDriver === 'none'
        ? []
        : [{ type: 'Log', name: logDriver }]),
    ]
    if (wanted.length === 0) return undefined
    return (info) => {
      const present = info.node.status.description?.engine.plugins ?? []
      return wanted.every(({ type, name }) =>
        present.some(
          (plugin) => plugin.type === type && (plugin.name === name || plugin.name === `${name}:latest`),
        ),
      )
    }
  },
  explain: (nodes) => `missing plugin on ${onNodes(nodes)}`,
}

const constraints: Filter = {
  name: 'constraints',
  prepare(task) {
    const texts = task.spec.placement?.constraints ?? []
    if (texts.length === 0) return undefined
    const parsed = texts.map(parseConstraint)
    const valid = parsed.filter((item): item is Constraint => !('refusal' in item))
    // What does not parse is refused before it is stored; should it come all the same, no node meets it.
    if (valid.length < parsed.length) return () => false
    return (info) => meetsConstraints(info.node, valid)
  },
  explain: (nodes) => `scheduling constraints not satisfied on ${onNodes(nodes)}`,
}

const platform: Filter = {
  name: 'platform',
  prepare(task) {
    const platforms = task.spec.placement?.platforms ?? []
    if (platforms.length === 0) return undefined
    return (info) => {
      const actual = info.node.status.description?.platform
      if (actual === undefined) return true
      return platforms.some(
        ({ architecture = '', os = '' }) =>
          (os === '' || os === actual.os) &&
          (architecture === '' || architectures(actual.architecture).includes(architecture)),
      )
    }
  },
  explain: (nodes) => `unsupported platform on ${onNodes(nodes)}`,
}

const hostPorts: Filter = {
  name: 'host-ports',
  prepare(task) {
    const keys = hostPortsOf(task)
    return keys.length === 0 ? undefined : (info) => !keys.some((key) => info.usesHostPort(key))
  },
  explain: (nodes) => `host-mode port already in use on ${onNodes(nodes)}`,
}

const taints: Filter = {
  name: 'taints',
  prepare(task) {
    const tolerations = task.spec.placement?.tolerations ?? []
    return (info) =>
      (info.node.spec.taints ?? []).every(
        (taint) =>
          taint.effect === 'prefer-no-schedule' ||
          tolerations.some((toleration) => tolerates(toleration, taint)),
      )
  },
  explain: (nodes) => `taints not tolerated on ${onNodes(nodes)}`,
}

function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== taint.effect) return false
  if (toleration.key !== undefined && toleration.key !== taint.key) return false
  return toleration.operator === 'exists' || (toleration.value ?? '') === (taint.value ?? '')
}

const maxReplicas: Filter = {
  name: 'max-replicas',
  prepare(task) {
    const limit = task.spec.placement?.maxReplicasPerNode ?? 0
    return limit === 0 ? undefined : (info) => info.tasksOf(task.serviceId) < limit
  },
  explain: (nodes) => `max replicas per node limit exceed on ${onNodes(nodes)}`,
}

/** In the order they are asked, cheap ones first. The first that refuses a node is the reason given for it. */
export const filters: readonly Filter[] = [
  ready,
  resources,
  plugins,
  constraints,
  platform,
  hostPorts,
  taints,
  maxReplicas,
]
