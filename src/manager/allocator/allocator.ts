import type { IpNetwork } from '#model/address.ts'
import type { ClusterNetworking } from '#model/cluster.ts'
import type { NetworkId, TaskId } from '#model/id.ts'
import { isRouted } from '#model/ingress/declared.ts'
import { isHostsOwn, isNodeLocal } from '#model/network.ts'
import type { Network } from '#model/network.ts'
import type { NetworkAttachmentSpec, Service, VirtualAddress } from '#model/service.ts'
import { isLive } from '#model/task-state.ts'
import type { Attachment, Task } from '#model/task.ts'
import { NetworkPool } from './network-pool.ts'
import { PortPool } from './port-pool.ts'

/** What the allocator starts from. */
export interface AllocatorSource {
  readonly networks: Iterable<Network>
  readonly services: Iterable<Service>
  readonly tasks: Iterable<Task>
}

/**
 * Gives out what there is only so much of: published ports, subnets, VXLAN identifiers, addresses. Its pools are
 * what the objects say, rebuilt at the start and kept up to date one object at a time; putting an object again
 * replaces what it held.
 *
 * 1. Nothing is given to two holders at once.
 * 2. What cannot be given is said in words, and given once something was released.
 */
export class Allocator {
  readonly #ports = new PortPool()
  readonly #networks = new NetworkPool()
  readonly #services = new Map<string, Service>()
  readonly #tasks = new Map<TaskId, readonly Attachment[]>()

  constructor(source: AllocatorSource) {
    for (const network of source.networks) this.#networks.put(network)
    for (const service of source.services) this.putService(service)
    for (const task of source.tasks) this.putTask(task)
  }

  putNetwork(network: Network): void {
    this.#networks.put(network)
  }

  removeNetwork(network: Network): void {
    this.#networks.remove(network)
  }

  putService(service: Service): void {
    const before = this.#services.get(service.meta.id)
    if (before !== undefined) this.removeService(before)
    this.#services.set(service.meta.id, service)
    this.#ports.take(service)
    for (const { networkId, address } of virtualAddressesOf(service))
      this.#networks.reserveAddresses(networkId, [address])
  }

  removeService(service: Service): void {
    const held = this.#services.get(service.meta.id)
    if (held === undefined) return
    this.#services.delete(service.meta.id)
    this.#ports.release(held)
    for (const { networkId, address } of virtualAddressesOf(held))
      this.#networks.releaseAddresses(networkId, [address])
  }

  putTask(task: Task): void {
    // Nearly no task has any: nothing is kept for the others.
    if (task.attachments.length === 0 && !this.#tasks.has(task.meta.id)) return
    this.removeTask(task.meta.id)
    if (!isLive(task.status.state)) return
    this.#tasks.set(task.meta.id, task.attachments)
    for (const { networkId, addresses } of task.attachments)
      this.#networks.reserveAddresses(networkId, addresses)
  }

  removeTask(id: TaskId): void {
    for (const { networkId, addresses } of this.#tasks.get(id) ?? [])
      this.#networks.releaseAddresses(networkId, addresses)
    this.#tasks.delete(id)
  }

  /** `routes`: of all hosts; what is chosen keeps clear of them. */
  allocateNetwork(
    network: Network,
    networking: ClusterNetworking,
    routes?: () => readonly IpNetwork[],
  ): Network {
    return this.#networks.allocate(network, networking, routes)
  }

  /** The service with its endpoint as its spec wants it, or itself where that is so already; or why it cannot be. */
  allocateService(service: Service): { readonly service: Service; readonly problem?: string } {
    const spec = service.spec.endpoint ?? {}
    const present = service.status.endpoint
    const networkIds = this.#networksOf(service, spec.mode !== 'dnsrr')
    const hasAll =
      networkIds.length === new Set(present?.virtualAddresses.map(({ networkId }) => networkId)).size &&
      networkIds.every((id) => present?.virtualAddresses.some(({ networkId }) => networkId === id))
    if (present === undefined && networkIds.length === 0 && (spec.ports ?? []).length === 0)
      return { service }
    if (present !== undefined && hasAll && JSON.stringify(present.spec) === JSON.stringify(spec))
      return { service }
    const chosen = this.#ports.choose(service)
    if ('problem' in chosen) return { service, problem: chosen.problem }
    const virtualAddresses = this.#virtualAddresses(networkIds, present?.virtualAddresses ?? [])
    if ('problem' in virtualAddresses) return { service, problem: virtualAddresses.problem }
    const endpoint = { spec, ports: chosen.ports, virtualAddresses: virtualAddresses.list }
    const allocated = { ...service, status: { ...service.status, endpoint } }
    this.putService(allocated)
    return { service: allocated }
  }

  /** The task with an address in each of its networks, itself where it has them; or why it cannot have one. */
  attachTask(task: Task): Task | string {
    const wanted = (task.spec.networks ?? []).filter(({ target }) => !isHostsOwn(target))
    const isReachedByHosts =
      task.ports.some((port) => port.publishMode === 'ingress') || isRouted(task.serviceLabels, task.spec)
    const ingress = isReachedByHosts ? this.#networks.ingress() : undefined
    const count = wanted.length + (ingress === undefined ? 0 : 1)
    if (task.attachments.length === count) return task
    const attachments: Attachment[] = []
    for (const spec of [...wanted, ...(ingress === undefined ? [] : [{ target: ingress.meta.id }])]) {
      const { target, aliases = [], addresses: own }: NetworkAttachmentSpec = spec
      const networkId = target as NetworkId
      const addresses = this.#isNodeLocal(target) ? [] : this.#networks.takeAddresses(networkId, own)
      if ('problem' in addresses) {
        for (const taken of attachments) this.#networks.releaseAddresses(taken.networkId, taken.addresses)
        return addresses.problem
      }
      attachments.push({ networkId, addresses, aliases })
    }
    const attached = { ...task, attachments }
    this.putTask(attached)
    return attached
  }

  /** Whose addresses each host's engine gives. */
  #isNodeLocal(target: string): boolean {
    const network = this.#networks.get(target as NetworkId)
    return network !== undefined && isNodeLocal(network)
  }

  #networksOf(service: Service, hasVirtualAddress: boolean): NetworkId[] {
    if (!hasVirtualAddress) return []
    const ids = (service.spec.template.networks ?? [])
      .filter(({ target }) => !isHostsOwn(target) && !this.#isNodeLocal(target))
      .map(({ target }) => target as NetworkId)
    const mesh = service.spec.endpoint?.ports?.some((port) => port.publishMode === 'ingress') === true
    const ingress = mesh ? this.#networks.ingress() : undefined
    return ingress === undefined ? ids : [...ids, ingress.meta.id]
  }

  /** Docker's clients know one of the mesh's network, and nothing is ever sent to it. */
  #virtualAddressesOn(id: NetworkId): readonly string[] | { readonly problem: string } {
    const taken = this.#networks.takeAddresses(id)
    if ('problem' in taken || this.#networks.get(id)?.spec.ingress !== true) return taken
    this.#networks.releaseAddresses(id, taken.slice(1))
    return taken.slice(0, 1)
  }

  #virtualAddresses(
    networkIds: readonly NetworkId[],
    before: readonly VirtualAddress[],
  ): { readonly list: VirtualAddress[] } | { readonly problem: string } {
    const list: VirtualAddress[] = []
    for (const networkId of networkIds) {
      const kept = before.filter((address) => address.networkId === networkId)
      const taken = kept.length === 0 ? this.#virtualAddressesOn(networkId) : []
      if ('problem' in taken) {
        const fresh = list.filter((address) => !before.includes(address))
        for (const { networkId: id, address } of fresh) this.#networks.releaseAddresses(id, [address])
        return taken
      }
      list.push(...kept, ...taken.map((address) => ({ networkId, address })))
    }
    return { list }
  }
}

const virtualAddressesOf = (service: Service): readonly VirtualAddress[] =>
  service.status.endpoint?.virtualAddresses ?? []
