import type { DataPlaneState } from '../data-plane-state.ts'

/** Who asks: the networks that its sandbox is on. Names of others do not exist for it. */
export interface Asker {
  readonly networks: ReadonlySet<string>
}

const tasksPrefix = 'tasks.'

/** What a name stands for; undefined: it is none of ours. Empty: it is ours, and nothing serves it now. */
export function addressesOf(
  name: string,
  asker: Asker,
  state: DataPlaneState,
): readonly string[] | undefined {
  const wanted = name.toLowerCase().replace(/\.$/, '')
  const found: string[] = []
  let isOurs = false
  for (const networkId of asker.networks) {
    const names = state.names(networkId)
    for (const endpoint of names.endpoints(wanted)) {
      isOurs = true
      found.push(
        ...(endpoint.virtualAddresses.length > 0 ? endpoint.virtualAddresses : names.serving(endpoint)),
      )
    }
    if (wanted.startsWith(tasksPrefix))
      for (const endpoint of names.endpoints(wanted.slice(tasksPrefix.length))) {
        isOurs = true
        found.push(...names.serving(endpoint))
      }
    for (const member of names.members(wanted)) {
      isOurs = true
      found.push(...member.addresses)
    }
  }
  return isOurs ? [...new Set(found)] : undefined
}

/** The name that an address is known by, within the asker's networks. */
export function nameOf(address: string, asker: Asker, state: DataPlaneState): string | undefined {
  for (const networkId of asker.networks) {
    const name = state.names(networkId).nameOf(address)
    if (name !== undefined) return name
  }
  return undefined
}
