import type { DataPlaneEndpoint, DataPlaneHost, DataPlaneMember } from '#model/data-plane.ts'
import { networkingDefaults } from '#model/defaults.ts'
import type { DataPlaneChange, Difference } from '#rpc/messages.ts'
import { NameIndex } from './dns/name-index.ts'

interface Keyed {
  readonly key: string
  readonly networkId: string
}

/** What the managers have told of the cluster's data plane, by network. */
export class DataPlaneState {
  readonly hosts = new Map<string, DataPlaneHost>()
  /** UDP, of the tunnels. */
  port = networkingDefaults.dataPathPort
  readonly #members = new Map<string, Map<string, DataPlaneMember>>()
  readonly #endpoints = new Map<string, Map<string, DataPlaneEndpoint>>()
  /** Where a key lies: what is removed is named by its key alone. */
  readonly #networkOf = new Map<string, string>()
  readonly #names = new Map<string, NameIndex>()
  #changes = 0
  #lastFull = 0
  /** The number of the change that was a network's last. */
  readonly #lastChange = new Map<string, number>()
  readonly #changed: () => void

  /** `changed`: is called with each change, at once. */
  constructor(changed: () => void = () => undefined) {
    this.#changed = changed
  }

  members(networkId: string): Iterable<DataPlaneMember> {
    return this.#members.get(networkId)?.values() ?? []
  }

  endpoints(networkId: string): Iterable<DataPlaneEndpoint> {
    return this.#endpoints.get(networkId)?.values() ?? []
  }

  /** Another number after each change of what is on the network. */
  version(networkId: string): number {
    return this.#lastChange.get(networkId) ?? this.#lastFull
  }

  /** The network's names as they are now. */
  names(networkId: string): NameIndex {
    const known = this.#names.get(networkId)
    if (known !== undefined) return known
    const index = new NameIndex(this.endpoints(networkId), this.members(networkId))
    this.#names.set(networkId, index)
    return index
  }

  /** Whether nothing is to be sent any more to where something was: before the change is applied. */
  isUrgent({ full, hosts, members, endpoints }: DataPlaneChange): boolean {
    const isWithdrawn = (key: string, isServing: boolean) =>
      this.#member(key)?.isServing === true && !isServing
    return (
      full ||
      hosts.remove.length > 0 ||
      endpoints.put.length > 0 ||
      endpoints.remove.length > 0 ||
      members.put.some(({ key, isServing }) => isWithdrawn(key, isServing)) ||
      members.remove.some((key) => isWithdrawn(key, false))
    )
  }

  /** Gives the networks that something changed in; undefined: in all. */
  apply(change: DataPlaneChange): ReadonlySet<string> | undefined {
    this.#changes += 1
    this.#changed()
    if (change.full) {
      this.#lastFull = this.#changes
      this.#lastChange.clear()
      this.hosts.clear()
      this.#members.clear()
      this.#endpoints.clear()
      this.#networkOf.clear()
      this.#names.clear()
    }
    this.port = change.port
    for (const host of change.hosts.put) this.hosts.set(host.nodeId, host)
    for (const id of change.hosts.remove) this.hosts.delete(id)
    const changed = new Set<string>()
    this.#take(this.#members, 'member', change.members, changed)
    this.#take(this.#endpoints, 'endpoint', change.endpoints, changed)
    for (const id of changed) {
      this.#names.delete(id)
      this.#lastChange.set(id, this.#changes)
    }
    const concernsAll = change.full || change.hosts.put.length > 0 || change.hosts.remove.length > 0
    return concernsAll ? undefined : changed
  }

  get networks(): ReadonlySet<string> {
    return new Set([...this.#members.keys(), ...this.#endpoints.keys()])
  }

  #member(key: string): DataPlaneMember | undefined {
    return this.#members.get(this.#networkOf.get(`member ${key}`) ?? '')?.get(key)
  }

  #take<T extends Keyed>(
    into: Map<string, Map<string, T>>,
    kind: string,
    difference: Difference<T>,
    changed: Set<string>,
  ): void {
    for (const value of difference.put) {
      const network = into.get(value.networkId) ?? new Map<string, T>()
      into.set(value.networkId, network)
      network.set(value.key, value)
      this.#networkOf.set(`${kind} ${value.key}`, value.networkId)
      changed.add(value.networkId)
    }
    for (const key of difference.remove) {
      const networkId = this.#networkOf.get(`${kind} ${key}`)
      if (networkId === undefined) continue
      this.#networkOf.delete(`${kind} ${key}`)
      const network = into.get(networkId)
      network?.delete(key)
      if (network?.size === 0) into.delete(networkId)
      changed.add(networkId)
    }
  }
}
