import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'

/** What one network's names and addresses stand for. Made anew after a change, and asked many times in between. */
export class NameIndex {
  readonly #endpoints = new Map<string, DataPlaneEndpoint[]>()
  readonly #members = new Map<string, DataPlaneMember[]>()
  readonly #ofService = new Map<string, DataPlaneMember[]>()
  readonly #nameOf = new Map<string, string>()

  constructor(endpoints: Iterable<DataPlaneEndpoint>, members: Iterable<DataPlaneMember>) {
    for (const member of members) {
      add(this.#ofService, member.serviceId, member)
      for (const name of member.names) add(this.#members, name.toLowerCase(), member)
      for (const address of member.addresses) this.#nameOf.set(address, member.names[0] ?? '')
    }
    for (const endpoint of endpoints) {
      for (const name of endpoint.names) add(this.#endpoints, name.toLowerCase(), endpoint)
      for (const address of endpoint.virtualAddresses) this.#nameOf.set(address, endpoint.names[0] ?? '')
    }
  }

  /** Services of this name, in lower case. */
  endpoints(name: string): readonly DataPlaneEndpoint[] {
    return this.#endpoints.get(name) ?? []
  }

  /** Members that have this name of their own. */
  members(name: string): readonly DataPlaneMember[] {
    return this.#members.get(name) ?? []
  }

  serving(endpoint: DataPlaneEndpoint): string[] {
    const members = this.#ofService.get(endpoint.serviceId) ?? []
    return members.flatMap((member) => (member.isServing ? member.addresses : []))
  }

  nameOf(address: string): string | undefined {
    const name = this.#nameOf.get(address)
    return name === '' ? undefined : name
  }
}

function add<T>(into: Map<string, T[]>, key: string, value: T): void {
  const list = into.get(key)
  if (list === undefined) into.set(key, [value])
  else list.push(value)
}
