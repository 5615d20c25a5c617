import { defined } from '#lib/defined.ts'
import type { DataPlaneEndpoint, DataPlaneHost, DataPlaneMember } from '#model/data-plane.ts'
import { isHostsOwn } from '#model/network.ts'
import type { Node } from '#model/node.ts'
import type { Service } from '#model/service.ts'
import { isLive, isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'

/** A label by which a service asks that connections through the mesh stay on their host while they can. */
export const preferLocalLabel = 'mure.mesh.local'
const stackLabel = 'com.docker.stack.namespace'

const withoutPrefix = (address: string): string => address.split('/')[0] ?? ''

export function hostFromNode(node: Node): DataPlaneHost | undefined {
  const { address, dataPathAddress, description } = node.status
  const reached = dataPathAddress === undefined || dataPathAddress === '' ? address : dataPathAddress
  if (reached === '') return undefined
  return {
    nodeId: node.meta.id,
    hostname: description?.hostname ?? '',
    address: reached,
    ...(node.status.state === 'down' ? { isDown: true } : {}),
    ...defined({ tunnelKey: description?.tunnelKey }),
  }
}

/** One for each of the task's networks that spans hosts, from the time it has a node until nothing of it runs any more. */
export function membersFromTask(task: Task): DataPlaneMember[] {
  const { nodeId } = task
  if (nodeId === '' || !isLive(task.status.state)) return []
  const container = task.spec.containers[0]
  // Where the cluster gave no address, nobody of another host is met.
  const spanning = task.attachments.filter(({ addresses }) => addresses.length > 0)
  return spanning.map((attachment) => ({
    key: `${task.meta.id}/${attachment.networkId}`,
    taskId: task.meta.id,
    networkId: attachment.networkId,
    nodeId,
    addresses: attachment.addresses.map(withoutPrefix),
    serviceId: task.serviceId,
    names: [
      ...new Set([
        nameOf(task),
        ...(container?.hostname === undefined ? [] : [container.hostname]),
        ...(task.serviceId === '' ? [...attachment.aliases, shortIdOf(task)] : []),
      ]),
    ].filter((name) => name !== '' && !name.includes('{{')),
    isServing: task.serviceId === '' ? !hasStopped(task) : isServing(task),
  }))
}

const isServing = (task: Task): boolean => task.status.state === 'running' && isRunnable(task.desiredState)

/** A plain container keeps its address while it is stopped. */
const hasStopped = (task: Task): boolean => task.status.containers[0]?.finishedAt !== undefined

/** Docker's other name of each plain container. */
const shortIdOf = (task: Task): string => task.status.containers[0]?.containerId.slice(0, 12) ?? ''

/** The name that its container has. */
const nameOf = (task: Task): string =>
  task.serviceId === ''
    ? (task.status.containers[0]?.name ?? task.serviceName)
    : `${task.serviceName}.${task.slot > 0 ? String(task.slot) : task.nodeId}.${task.meta.id}`

/** One for each network that a service's endpoint is on. */
export function endpointsFromService(service: Service, ingressId: string | undefined): DataPlaneEndpoint[] {
  const { spec, status, meta } = service
  const addresses = Map.groupBy(status.endpoint?.virtualAddresses ?? [], ({ networkId }) => networkId)
  const aliases = new Map(
    (spec.template.networks ?? [])
      .filter(({ target }) => !isHostsOwn(target))
      .map((one) => [one.target, one.aliases ?? []]),
  )
  const networks = new Set<string>([...addresses.keys(), ...aliases.keys()])
  const ports = (status.endpoint?.ports ?? []).filter((port) => port.publishMode === 'ingress')
  if (ingressId !== undefined && ports.length > 0) networks.add(ingressId)
  return [...networks].map((networkId) => {
    const virtual = addresses.get(networkId as DataPlaneEndpoint['networkId']) ?? []
    const isIngress = networkId === ingressId
    return {
      key: `${meta.id}/${networkId}`,
      serviceId: meta.id,
      networkId: networkId as DataPlaneEndpoint['networkId'],
      // The mesh's network is nobody's to look names up on.
      names: isIngress ? [] : namesOf(service, aliases.get(networkId) ?? []),
      virtualAddresses: virtual.map(({ address }) => withoutPrefix(address)),
      ports: isIngress ? ports : [],
      prefersLocal: /^(1|t|true|yes)$/i.test(spec.labels[preferLocalLabel] ?? ''),
    }
  })
}

function namesOf({ spec }: Service, aliases: readonly string[]): string[] {
  const stack = spec.labels[stackLabel]
  const short =
    stack !== undefined && spec.name.startsWith(`${stack}_`) ? [spec.name.slice(stack.length + 1)] : []
  return [...new Set([spec.name, ...short, ...aliases])]
}
