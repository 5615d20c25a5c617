import { createHash } from 'node:crypto'

/** All bridges of ours begin so: rules of the host's firewall name them by it. */
export const bridgePrefix = 'mub'

export const bridgeName = (vxlanId: number): string => `${bridgePrefix}${vxlanId.toString(16)}`
export const vxlanName = (vxlanId: number): string => `mux${vxlanId.toString(16)}`
/** The two ends of an endpoint's cable: on the host's bridge, and in the sandbox until the engine renames it. */
export const hostVeth = (endpointId: string): string => `muv${endpointId.slice(0, 10)}`
export const sandboxVeth = (endpointId: string): string => `muc${endpointId.slice(0, 10)}`

/** A task's hardware address follows from its IPv4 address, as the engine's own bridges have it. */
export const macOfAddress = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':')

/** A host's own on the bridges: by it a task tells which host a connection of the mesh came through. */
export function macOfHost(nodeId: string): string {
  const digest = createHash('sha256').update(nodeId).digest('hex')
  return ['02', '4d', ...[0, 2, 4, 6].map((at) => digest.slice(at, at + 2))].join(':')
}
