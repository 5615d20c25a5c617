import type { View } from '#manager/control/control.ts'
import type { Network } from '#model/network.ts'
import { isRunnable } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'

/** Docker counts the balancers of a host from here. */
const firstLoadBalancer = 256

const withoutPrefix = (address: string | undefined): string => address?.split('/')[0] ?? ''

/** Docker's `Peers`: the hosts that something on the network is on. */
export function peersOf(view: View, network: Network): object[] {
  const nodes = new Set([...membersOf(view, network)].map(({ nodeId }) => nodeId))
  return [...nodes].map((id) => ({ Name: id.slice(0, 12), IP: hostAddress(view, id) }))
}

/**
 * Docker's `Services` of `docker network inspect --verbose`: who is behind which name. Plain containers are under the
 * empty name, as Docker has them. `endpointIdOf`: the engine's id of an end, where it is one of this host's.
 */
export function servicesOf(
  view: View,
  network: Network,
  endpointIdOf: (task: Task, address: string) => string,
): Record<string, object> {
  const services: Record<string, object> = {}
  const byService = Map.groupBy(membersOf(view, network), ({ serviceId }) => serviceId)
  let index = firstLoadBalancer
  for (const [serviceId, tasks] of byService) {
    const service = serviceId === '' ? undefined : view.get('service', serviceId)
    const endpoint = service?.status.endpoint
    const virtual = endpoint?.virtualAddresses.find(({ networkId }) => networkId === network.meta.id)
    const ports = network.spec.ingress ? (endpoint?.ports ?? []) : []
    services[serviceId === '' ? '' : (service?.spec.name ?? tasks[0]?.serviceName ?? '')] = {
      VIP: withoutPrefix(virtual?.address),
      Ports: ports.map(
        ({ targetPort, publishedPort = 0 }) =>
          `Target: ${String(targetPort)}, Publish: ${String(publishedPort)}`,
      ),
      LocalLBIndex: virtual === undefined ? 0 : index++,
      Tasks: tasks.map((task) => {
        const attachment = task.attachments.find(({ networkId }) => networkId === network.meta.id)
        const address = withoutPrefix(attachment?.addresses[0])
        return {
          Name: nameOf(task),
          EndpointID: endpointIdOf(task, address),
          EndpointIP: address,
          Info: { 'Host IP': hostAddress(view, task.nodeId) },
        }
      }),
    }
  }
  return services
}

function* membersOf(view: View, network: Network): Iterable<Task> {
  for (const task of view.list('task')) {
    if (task.nodeId === '' || !isRunnable(task.desiredState)) continue
    const isThere = task.serviceId === '' || task.status.state === 'running'
    if (isThere && task.attachments.some(({ networkId }) => networkId === network.meta.id)) yield task
  }
}

function hostAddress(view: View, nodeId: string): string {
  const { status } = view.get('node', nodeId) ?? {}
  const own = status?.dataPathAddress ?? ''
  return own === '' ? (status?.address ?? '') : own
}

const nameOf = (task: Task): string =>
  task.serviceId === ''
    ? (task.status.containers[0]?.name ?? task.serviceName)
    : `${task.serviceName}.${task.slot > 0 ? String(task.slot) : task.nodeId}.${task.meta.id}`
