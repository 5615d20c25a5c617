import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import { portKey } from './port-listeners.ts'
import { bridgePrefix } from '../device-names.ts'
import { ipv6 } from '../family.ts'
import type { Family } from '../family.ts'

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
  family: Family,
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
      .flatMap((member) => member.addresses.filter((address) => family.has(address)))
      .sort()
    for (const { protocol, publishedPort = 0, targetPort } of published)
      if (publishedPort > 0)
        ports.set(portKey({ protocol, port: publishedPort }), {
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

/** Where a host's rules of the mesh are. */
export interface MeshPlace {
  readonly table: string
  readonly ingressBridge: string
  /** What a connection from a loopback address comes from instead. */
  readonly localAddress: string
}

/**
 * The host's table. A connection to one of the host's own addresses is sent to a task; its source address is left as
 * it is. Ports are looked up in a map, so that a packet's way is as long with one service as with a thousand.
 */
function frame(family: Family, { table, ingressBridge, localAddress }: MeshPlace): string[] {
  const of = `${family.name} ${table}`
  return [
    `add table ${of}`,
    `delete table ${of}`,
    `add table ${of}`,
    ...protocols.map((name) => `add map ${of} ${name}_ports { type inet_service : verdict; }`),
    ...protocols.map((name) => `add set ${of} ${name}_unserved { type inet_service; }`),
    `add chain ${of} ports`,
    ...protocols.map((name) => `add rule ${of} ports ${name} dport vmap @${name}_ports`),
    // Before the engine's own, so that nobody else's rule takes the port.
    `add chain ${of} prerouting { type nat hook prerouting priority -110; }`,
    `add rule ${of} prerouting iifname "${bridgePrefix}*" return`,
    `add rule ${of} prerouting fib daddr type local jump ports`,
    `add chain ${of} output { type nat hook output priority -110; }`,
    // IPv6 has no way back to a loopback address: see `port-listeners.ts`.
    ...(family === ipv6 ? [`add rule ${of} output ip6 daddr ${family.loopback} return`] : []),
    `add rule ${of} output fib daddr type local jump ports`,
    ...(family === ipv6
      ? []
      : [
          `add chain ${of} postrouting { type nat hook postrouting priority 90; }`,
          // What comes from a loopback address could not be answered from elsewhere.
          `add rule ${of} postrouting oifname "${ingressBridge}" ip saddr ${family.loopback} snat to ${localAddress}`,
        ]),
    `add chain ${of} input { type filter hook input priority 0; }`,
    ...protocols.map((name) => `add rule ${of} input ${name} dport @${name}_unserved reject`),
  ]
}

export function renderPublishedPorts(
  family: Family,
  where: MeshPlace,
  before: PublishedPorts | undefined,
  after: PublishedPorts,
): string[] {
  const of = `${family.name} ${where.table}`
  const lines = before === undefined ? frame(family, where) : []
  const drop = (port: PublishedPort) => {
    if (port.backends.length === 0)
      lines.push(`delete element ${of} ${port.protocol}_unserved { ${String(port.port)} }`)
    else
      lines.push(
        `delete element ${of} ${port.protocol}_ports { ${String(port.port)} }`,
        `flush chain ${of} ${chainOf(port)}`,
        `delete chain ${of} ${chainOf(port)}`,
      )
  }
  for (const [key, port] of before ?? []) if (!after.has(key)) drop(port)
  for (const [key, port] of after) {
    const was = before?.get(key)
    if (was !== undefined && JSON.stringify(was) === JSON.stringify(port)) continue
    const keeps = was !== undefined && was.backends.length > 0 && port.backends.length > 0
    if (was !== undefined && !keeps) drop(was)
    if (port.backends.length === 0) {
      lines.push(`add element ${of} ${port.protocol}_unserved { ${String(port.port)} }`)
      continue
    }
    const target = String(port.targetPort)
    const choices = port.backends.map((ip, index) => `${String(index)} : ${ip} . ${target}`).join(', ')
    lines.push(
      `add chain ${of} ${chainOf(port)}`,
      `flush chain ${of} ${chainOf(port)}`,
      `add rule ${of} ${chainOf(port)} meta l4proto ${port.protocol} dnat ${family.name} addr . port to numgen random mod ${String(port.backends.length)} map { ${choices} }`,
    )
    if (!keeps)
      lines.push(`add element ${of} ${port.protocol}_ports { ${String(port.port)} : goto ${chainOf(port)} }`)
  }
  return lines
}

/** Tasks that new connections of the mesh went to and do not any more. */
export function removedTargets(before: PublishedPorts | undefined, after: PublishedPorts): string[] {
  const now = new Set([...after.values()].flatMap(({ backends }) => backends))
  const was = new Set([...(before?.values() ?? [])].flatMap(({ backends }) => backends))
  return [...was].filter((address) => !now.has(address))
}
