import type { Kind, StoredObject } from '#model/objects.ts'
import type { Network } from '#model/network.ts'
import type { Node } from '#model/node.ts'
import type { Config, Secret } from '#model/secret.ts'
import type { Labels } from '#model/meta.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import type { NamedRow, NetworkRow, NodeRow, Row, RowKind, ServiceRow, TaskRow } from '../wire.ts'

const stackLabel = 'com.docker.stack.namespace'

export const isShown = (kind: Kind): kind is RowKind => kind !== 'cluster'

/** What the page shows of an object; undefined: nothing. */
export function rowOf(object: StoredObject): Row | undefined {
  switch (object.kind) {
    case 'node':
      return nodeRow(object)
    case 'service':
      return serviceRow(object)
    case 'task':
      // A plain container's place on a network is nothing that was scheduled.
      return object.spec.runtime === 'attachment' ? undefined : taskRow(object)
    case 'network':
      return networkRow(object)
    case 'secret':
    case 'config':
      return namedRow(object)
    case 'cluster':
      return undefined
  }
}

function nodeRow({ meta, spec, status }: Node): NodeRow {
  const { description } = status
  return {
    kind: 'node',
    id: meta.id,
    name: description?.hostname ?? meta.id,
    role: status.role,
    ...(spec.role === status.role ? {} : { wantedRole: spec.role }),
    state: status.state,
    ...(status.message === '' ? {} : { message: status.message }),
    availability: spec.availability,
    ...(status.manager?.leader === true ? { leader: true } : {}),
    ...(status.manager === undefined ? {} : { reachability: status.manager.reachability }),
    address: status.address,
    cpus: (description?.resources.cpuNano ?? 0) / 1e9,
    memoryBytes: description?.resources.memoryBytes ?? 0,
    engine: description?.engine.version ?? '',
    platform:
      description === undefined ? '' : `${description.platform.os}/${description.platform.architecture}`,
    ...(Object.keys(spec.labels).length === 0 ? {} : { labels: spec.labels }),
  }
}

function serviceRow({ meta, spec, status }: Service): ServiceRow {
  const ports = status.endpoint?.ports ?? spec.endpoint?.ports ?? []
  const networks = (spec.template.networks ?? spec.networks ?? []).map(({ target }) => target)
  return {
    kind: 'service',
    id: meta.id,
    name: spec.name,
    ...stackOf(spec.labels),
    image: shortImage(spec.template.containers[0]?.image ?? ''),
    mode: spec.mode.type,
    ...replicasOf(spec.mode),
    ...(ports.length === 0
      ? {}
      : {
          ports: ports.map((port) => ({
            published: port.publishedPort ?? 0,
            target: port.targetPort,
            protocol: port.protocol,
            mode: port.publishMode,
          })),
        }),
    ...(networks.length === 0 ? {} : { networks }),
    ...(status.update === undefined
      ? {}
      : { update: { state: status.update.state, message: status.update.message } }),
    ...(status.previousSpec === undefined ? {} : { hasPrevious: true }),
    updatedAt: meta.updatedAt,
    createdAt: meta.createdAt,
  }
}

function replicasOf(mode: Service['spec']['mode']): { replicas?: number } {
  if (mode.type === 'replicated') return { replicas: mode.replicas ?? 1 }
  if (mode.type === 'replicated-job') return { replicas: mode.totalCompletions ?? mode.maxConcurrent ?? 1 }
  return {}
}

function taskRow({ meta, spec, status, ...task }: Task): TaskRow {
  const [container] = status.containers
  const limits = spec.resources?.limits
  return {
    kind: 'task',
    id: meta.id,
    service: task.serviceId,
    serviceName: task.serviceName,
    slot: task.slot,
    node: task.nodeId,
    state: status.state,
    desired: task.desiredState,
    since: status.since,
    message: status.message,
    ...(status.error === '' ? {} : { error: status.error }),
    ...(container === undefined || container.containerId === '' ? {} : { container: container.containerId }),
    ...(container?.exitCode === undefined ? {} : { exitCode: container.exitCode }),
    ...(container?.health === undefined ? {} : { health: container.health }),
    image: shortImage(spec.containers[0]?.image ?? ''),
    ...(limits?.cpuNano === undefined ? {} : { cpuLimit: limits.cpuNano / 1e9 }),
    ...(limits?.memoryBytes === undefined ? {} : { memoryLimit: limits.memoryBytes }),
  }
}

function networkRow({ meta, spec, status }: Network): NetworkRow {
  const ranges = status.ranges.length > 0 ? status.ranges : spec.ipam.ranges
  return {
    kind: 'network',
    id: meta.id,
    name: spec.name,
    driver: spec.driver.name === '' ? 'overlay' : spec.driver.name,
    subnets: ranges.map(({ subnet }) => subnet).filter((subnet) => subnet !== ''),
    ...(spec.ingress ? { ingress: true } : {}),
    ...(spec.attachable ? { attachable: true } : {}),
    ...(spec.internal ? { internal: true } : {}),
    ...stackOf(spec.labels),
    ...(status.error === undefined ? {} : { error: status.error }),
  }
}

function namedRow({ kind, meta, spec }: Secret | Config): NamedRow {
  return { kind, id: meta.id, name: spec.name, ...stackOf(spec.labels), createdAt: meta.createdAt }
}

function stackOf(labels: Labels): { stack?: string } {
  const stack = labels[stackLabel]
  return stack === undefined ? {} : { stack }
}

/** Without the digest that the CLI adds: people know images by their tags. */
const shortImage = (image: string): string => image.replace(/@sha256:[0-9a-f]+$/, '')
