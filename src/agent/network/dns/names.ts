import type { DataPlaneState } from '../data-plane-state.ts'

/** Who asks: the networks that its sandbox is on, with their names. Names of others do not exist for it. */
export interface Asker {
  readonly networks: ReadonlyMap<string, string>
}

const tasksPrefix = 'tasks.'

/**
 * What a name stands for; undefined: it is none of ours. Empty: it is ours, and nothing serves it now. A name may
 * have that of its network behind it: `web.front`.
 */
export function addressesOf(
  name: string,
  asker: Asker,
  state: DataPlaneState,
): readonly string[] | undefined {
  const found: string[] = []
  let isOurs = false
  const look = (networkId: string, wanted: string) => {
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
      // It is about to stop, or has.
      if (member.isServing) found.push(...member.addresses)
    }
  }
  for (const [networkId, networkName] of asker.networks) {
    look(networkId, name)
    const suffix = `.${networkName.toLowerCase()}`
    if (networkName !== '' && name.endsWith(suffix)) look(networkId, name.slice(0, -suffix.length))
  }
  return isOurs ? [...new Set(found)] : undefined
}

/** The name that an address is known by within the asker's networks, with its network's behind it as Docker has it. */
export function nameOf(address: string, asker: Asker, state: DataPlaneState): string | undefined {
  for (const [networkId, networkName] of asker.networks) {
    const name = state.names(networkId).nameOf(address)
    if (name !== undefined) return networkName === '' ? name : `${name}.${networkName}`
  }
  return undefined
}
