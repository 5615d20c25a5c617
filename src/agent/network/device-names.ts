import { createHash } from 'node:crypto'

/** All bridges of ours begin so: rules of the host's firewall name them by it. */
export const bridgePrefix = 'mub'

export const bridgeName = (vxlanId: number): string => `${bridgePrefix}${vxlanId.toString(16)}`
export const vxlanName = (vxlanId: number): string => `mux${vxlanId.toString(16)}`
/** The hosts' ends of a daemon's cables begin so. `mark`: of the daemon, as others may live on the same host. */
export const cablePrefix = (mark: string): string => `muv${mark.slice(0, 3)}`
/** The two ends of an endpoint's cable: on the host's bridge, and in the sandbox until the engine renames it. */
export const hostVeth = (mark: string, endpointId: string): string =>
  `${cablePrefix(mark)}${endpointId.slice(0, 9)}`
export const sandboxVeth = (endpointId: string): string => `muc${endpointId.slice(0, 10)}`

/** A task's hardware address follows from its IPv4 address, as the engine's own bridges have it. */
export const macOfAddress = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':')

/** A host's own on the bridges: by it a task tells which host a connection of the mesh came through. */
export function macOfHost(nodeId: string): string {
  const digest = createHash('sha256').update(nodeId).digest('hex')
  return ['02', '4d', ...[0, 2, 4, 6].map((at) => digest.slice(at, at + 2))].join(':')
}
