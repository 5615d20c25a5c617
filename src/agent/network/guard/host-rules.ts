import { bridgePrefix } from '../device-names.ts'
import { innerPrefix } from '../encryption/config.ts'

/** What a host must know to keep the networks apart from each other, from itself and from the world outside. */
export interface HostGuard {
  /** Of the networks that are here. */
  readonly bridges: readonly string[]
  readonly vxlanIds: readonly number[]
  /** UDP, of the tunnels. */
  readonly port: number
  /** This host's own on all bridges. */
  readonly mac: string
  /** Where tunnels may come from. */
  readonly hosts: readonly string[]
  /** Networks that are nowhere but inside the encrypted tunnels of this device. */
  readonly encrypted: { readonly device: string; readonly vxlanIds: readonly number[] }
  /** The only thing on this host that containers reach through their networks. */
  readonly nameserver: string
}

/**
 * 1. A tunnel carries what another host of the cluster sends, and no container reaches a host's tunnel through the
 *    host's own address.
 * 2. A network is no way to the host: names are answered, connections of the mesh come back, and that is all.
 * 3. What is encrypted goes out and comes in through the encrypted tunnels or not at all.
 * 4. A network is no way into another, nor out: only connections of the mesh come in from outside.
 * 5. Connections are tracked where they are opened and where they end, and by hosts that send them on. A host that
 *    only carries them, in tunnels or from one cable of a bridge to another, does not track them: it would cost each
 *    new connection a dozen look-ups, and two that differ for their hosts may look the same to the one between.
 *
 * All rules ask for networks of this daemon alone: others may live on the same host.
 */
export function renderHostGuard(table: string, guard: HostGuard): string[] {
  const { bridges, vxlanIds, port, mac, hosts, nameserver, encrypted } = guard
  const add = (what: string) => `add ${what.replace(/^(\S+) /, `$1 inet ${table} `)}`
  const four = hosts.filter((host) => !host.includes(':'))
  const six = hosts.filter((host) => host.includes(':'))
  const tunnel = `udp dport ${String(port)}`
  const lines = [
    `add table inet ${table}`,
    `delete table inet ${table}`,
    `add table inet ${table}`,
    add('set bridges { type ifname; }'),
    add('set within { type ifname . ifname; }'),
    add('set hosts { type ipv4_addr; }'),
    add('set hosts6 { type ipv6_addr; }'),
    ...elements(table, 'bridges', bridges.map(quoted)),
    ...elements(
      table,
      'within',
      bridges.map((bridge) => `${quoted(bridge)} . ${quoted(bridge)}`),
    ),
    ...elements(table, 'hosts', four),
    ...elements(table, 'hosts6', six),
    add('chain tunnels { type filter hook prerouting priority -310; }'),
    add('chain leaving { type filter hook output priority -310; }'),
    add('chain untracked { type filter hook prerouting priority -301; }'),
    // Also seen here, where the engine has the host's rules look at bridges: what is not for the host itself.
    add(`rule untracked iifname "${bridgePrefix}*" ether daddr != ${mac} iifname @bridges notrack`),
  ]
  if (vxlanIds.length > 0) {
    // The identifier stands behind UDP's header and four bytes of VXLAN's.
    const ours = `${tunnel} @th,96,24 { ${vxlanIds.map(String).join(', ')} }`
    lines.push(
      add(`rule tunnels ${ours} ip saddr != @hosts drop`),
      add(`rule tunnels ${ours} ip6 saddr != @hosts6 drop`),
      // A container of this very host that passes for another host: what comes from there does not come this way.
      ...engineBridges.map((device) =>
        add(`rule tunnels ${ours} iifname "${device}" fib saddr . iif oif missing drop`),
      ),
      add(`rule untracked ${ours} notrack`),
      add(`rule leaving ${ours} notrack`),
    )
  }
  if (encrypted.vxlanIds.length > 0)
    lines.push(
      add(
        `rule tunnels ${tunnel} @th,96,24 { ${encrypted.vxlanIds.join(', ')} } iifname != "${encrypted.device}" drop`,
      ),
    )
  return [
    ...lines,
    add(`rule leaving ip6 daddr ${innerPrefix} oifname != { "${encrypted.device}", "lo" } drop`),
    // Before an answer of the mesh gets back its loopback address: so it is a container's own doing.
    add('chain loopback { type filter hook prerouting priority -300; }'),
    add('rule loopback ip daddr 127.0.0.0/8 iifname @bridges drop'),
    add('rule loopback ip6 daddr ::1 iifname @bridges drop'),
    add('chain input { type filter hook input priority -5; }'),
    add('rule input iifname != @bridges accept'),
    add('rule input ct state established,related accept'),
    add(`rule input ip daddr ${nameserver} meta l4proto { tcp, udp } th dport 53 accept`),
    add('rule input icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept'),
    add('rule input drop'),
    add('chain forward { type filter hook forward priority -5; }'),
    // Within one network: the host's rules see bridged packets too.
    add('rule forward iifname . oifname @within accept'),
    // Masked by this host's own address, a container would pass for a host.
    add(`rule forward ${tunnel} ip daddr @hosts drop`),
    add(`rule forward ${tunnel} ip6 daddr @hosts6 drop`),
    add('rule forward ct state established,related accept'),
    // Also what is not tracked, or belongs to no connection: a container may address a frame to its own cable's MAC.
    add('rule forward iifname @bridges drop'),
    add('rule forward oifname @bridges ct state invalid,untracked drop'),
    add('rule forward oifname @bridges ct state new ct status & dnat == 0 drop'),
  ]
}

/** Where the engine's own containers are heard, by its names for them. */
const engineBridges = ['docker*', 'br-*']

const quoted = (text: string): string => `"${text}"`

const elements = (table: string, set: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [`add element inet ${table} ${set} { ${values.join(', ')} }`]
