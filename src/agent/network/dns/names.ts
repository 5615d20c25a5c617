import type { DataPlaneState } from '../data-plane-state.ts'

/** Who asks: the networks that its sandbox is on. Names of others do not exist for it. */
export interface Asker {
  readonly networks: ReadonlySet<string>
}

/** What a name stands for; undefined: it is none of ours. Empty: it is ours, and nothing serves it now. */
export function addressesOf(
  name: string,
  asker: Asker,
  state: DataPlaneState,
): readonly string[] | undefined {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const ofTasks = wanted.startsWith('tasks.') ? wanted.slice('tasks.'.length) : undefined
  const found: string[] = []
  let isOurs = false
  for (const networkId of asker.networks) {
    for (const endpoint of state.endpoints(networkId)) {
      const names = endpoint.names.map((one) => one.toLowerCase())
      const isService = names.includes(wanted)
      if (!isService && (ofTasks === undefined || !names.includes(ofTasks))) continue
      isOurs = true
      if (isService && endpoint.virtualAddresses.length > 0) {
        found.push(...endpoint.virtualAddresses)
        continue
      }
      for (const member of state.members(networkId))
        if (member.serviceId === endpoint.serviceId && member.isServing) found.push(...member.addresses)
    }
    for (const member of state.members(networkId))
      if (member.names.some((one) => one.toLowerCase() === wanted)) {
        isOurs = true
        found.push(...member.addresses)
      }
  }
  return isOurs ? [...new Set(found)] : undefined
}

/** The name that an address is known by, within the asker's networks. */
export function nameOf(address: string, asker: Asker, state: DataPlaneState): string | undefined {
  for (const networkId of asker.networks) {
    for (const endpoint of state.endpoints(networkId))
      if (endpoint.virtualAddresses.includes(address)) return endpoint.names[0]
    for (const member of state.members(networkId))
      if (member.addresses.includes(address)) return member.names[0]
  }
  return undefined
}
