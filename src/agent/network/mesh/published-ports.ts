import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import { bridgePrefix } from '../device-names.ts'

/** A port of every host, and the tasks behind it. */
export interface PublishedPort {
  readonly protocol: string
  readonly port: number
  readonly targetPort: number
  readonly backends: readonly string[]
}

/** By protocol and port. */
export type PublishedPorts = ReadonlyMap<string, PublishedPort>

export function publishedPortsOf(
  endpoints: Iterable<DataPlaneEndpoint>,
  members: Iterable<DataPlaneMember>,
  ownNodeId: string,
): Map<string, PublishedPort> {
  const byService = Map.groupBy(members, (member) => member.serviceId)
  const ports = new Map<string, PublishedPort>()
  for (const { serviceId, ports: published, prefersLocal } of endpoints) {
    const serving = (byService.get(serviceId) ?? []).filter((member) => member.isServing)
    const here = serving.filter((member) => member.nodeId === ownNodeId)
    const chosen = prefersLocal && here.length > 0 ? here : serving
    const backends = chosen
      .flatMap((member) => member.addresses.filter((address) => address.includes('.')))
      .sort()
    for (const { protocol, publishedPort = 0, targetPort } of published)
      if (publishedPort > 0)
        ports.set(`${protocol}/${String(publishedPort)}`, {
          protocol,
          port: publishedPort,
          targetPort,
          backends,
        })
  }
  return ports
}

const protocols = ['tcp', 'udp', 'sctp'] as const
const chainOf = ({ protocol, port }: PublishedPort): string => `p_${protocol}_${String(port)}`

/**
 * The host's table. A connection to one of the host's own addresses is sent to a task; its source address is left as
 * it is. Ports are looked up in a map, so that a packet's way is as long with one service as with a thousand.
 */
function frame(table: string, ingressBridge: string, localAddress: string): string[] {
  return [
    `add table ip ${table}`,
    `delete table ip ${table}`,
    `add table ip ${table}`,
    ...protocols.map((name) => `add map ip ${table} ${name}_ports { type inet_service : verdict; }`),
    ...protocols.map((name) => `add set ip ${table} ${name}_unserved { type inet_service; }`),
    `add chain ip ${table} ports`,
    ...protocols.map((name) => `add rule ip ${table} ports ${name} dport vmap @${name}_ports`),
    // Before the engine's own, so that nobody else's rule takes the port.
    `add chain ip ${table} prerouting { type nat hook prerouting priority -110; }`,
    `add rule ip ${table} prerouting iifname "${bridgePrefix}*" return`,
    `add rule ip ${table} prerouting fib daddr type local jump ports`,
    `add chain ip ${table} output { type nat hook output priority -110; }`,
    `add rule ip ${table} output fib daddr type local jump ports`,
    `add chain ip ${table} postrouting { type nat hook postrouting priority 90; }`,
    // What comes from a loopback address could not be answered from elsewhere.
    `add rule ip ${table} postrouting oifname "${ingressBridge}" ip saddr 127.0.0.0/8 snat to ${localAddress}`,
    `add chain ip ${table} input { type filter hook input priority 0; }`,
    ...protocols.map((name) => `add rule ip ${table} input ${name} dport @${name}_unserved reject`),
  ]
}

export function renderPublishedPorts(
  where: { readonly table: string; readonly ingressBridge: string; readonly localAddress: string },
  before: PublishedPorts | undefined,
  after: PublishedPorts,
): string[] {
  const { table } = where
  const lines = before === undefined ? frame(table, where.ingressBridge, where.localAddress) : []
  const drop = (port: PublishedPort) => {
    if (port.backends.length === 0)
      lines.push(`delete element ip ${table} ${port.protocol}_unserved { ${String(port.port)} }`)
    else
      lines.push(
        `delete element ip ${table} ${port.protocol}_ports { ${String(port.port)} }`,
        `flush chain ip ${table} ${chainOf(port)}`,
        `delete chain ip ${table} ${chainOf(port)}`,
      )
  }
  for (const [key, port] of before ?? []) if (!after.has(key)) drop(port)
  for (const [key, port] of after) {
    const was = before?.get(key)
    if (was !== undefined && JSON.stringify(was) === JSON.stringify(port)) continue
    const keeps = was !== undefined && was.backends.length > 0 && port.backends.length > 0
    if (was !== undefined && !keeps) drop(was)
    if (port.backends.length === 0) {
      lines.push(`add element ip ${table} ${port.protocol}_unserved { ${String(port.port)} }`)
      continue
    }
    const target = String(port.targetPort)
    const choices = port.backends.map((ip, index) => `${String(index)} : ${ip} . ${target}`).join(', ')
    lines.push(
      `add chain ip ${table} ${chainOf(port)}`,
      `flush chain ip ${table} ${chainOf(port)}`,
      `add rule ip ${table} ${chainOf(port)} meta l4proto ${port.protocol} dnat ip addr . port to numgen random mod ${String(port.backends.length)} map { ${choices} }`,
    )
    if (!keeps)
      lines.push(
        `add element ip ${table} ${port.protocol}_ports { ${String(port.port)} : goto ${chainOf(port)} }`,
      )
  }
  return lines
}

/** Tasks that new connections of the mesh went to and do not any more. */
export function removedTargets(before: PublishedPorts | undefined, after: PublishedPorts): string[] {
  const now = new Set([...after.values()].flatMap(({ backends }) => backends))
  const was = new Set([...(before?.values() ?? [])].flatMap(({ backends }) => backends))
  return [...was].filter((address) => !now.has(address))
}
