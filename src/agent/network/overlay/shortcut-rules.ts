import { vxlanName } from '../device-names.ts'

/** A container's cable on one network: who sends by it. */
export interface ShortcutCable {
  readonly device: string
  readonly mac: string
  /** IPv4. */
  readonly address: string
}

/** One network on this host. */
export interface Shortcut {
  readonly vxlanId: number
  /** Hardware addresses behind the tunnels. */
  readonly far: ReadonlySet<string>
  readonly cables: readonly ShortcutCable[]
}

/** By VXLAN identifier. */
export type Shortcuts = ReadonlyMap<number, Shortcut>

const nothing: Shortcut = { vxlanId: 0, far: new Set(), cables: [] }

/**
 * Rules at the very entry of devices that take a frame from a tunnel straight to its container's cable, and from a
 * cable straight into the tunnel, past the bridge and all the rules that hosts have for bridged packets. Whatever
 * these do not know for certain goes the long way, where the guard looks at it: what is not an IPv4 packet with the
 * cable's own two addresses, what is for this host or for a container beside, what is for everybody.
 *
 * `before` undefined: nothing is known of the table.
 */
export function renderShortcuts(table: string, before: Shortcuts | undefined, after: Shortcuts): string[] {
  const lines =
    before === undefined
      ? [`add table netdev ${table}`, `delete table netdev ${table}`, `add table netdev ${table}`]
      : []
  for (const [id, shortcut] of before ?? []) if (!after.has(id)) lines.push(...removal(table, shortcut))
  for (const [id, shortcut] of after) {
    const was = before?.get(id)
    if (was === undefined) lines.push(...frame(table, id))
    lines.push(...difference(table, was ?? { ...nothing, vxlanId: id }, shortcut))
  }
  return lines
}

const namesOf = (vxlanId: number) => {
  const device = vxlanName(vxlanId)
  return { device, far: `far_${device}`, here: `here_${device}`, inbound: `in_${device}` }
}
const outbound = (cable: ShortcutCable): string => `out_${cable.device}`

const hook = (device: string): string => `{ type filter hook ingress device "${device}" priority 0; }`

function frame(table: string, vxlanId: number): string[] {
  const { device, far, here, inbound } = namesOf(vxlanId)
  return [
    `add set netdev ${table} ${far} { type ether_addr; }`,
    `add map netdev ${table} ${here} { type ether_addr : iface_index; }`,
    `add chain netdev ${table} ${inbound} ${hook(device)}`,
    `add rule netdev ${table} ${inbound} fwd to ether daddr map @${here}`,
  ]
}

function difference(table: string, before: Shortcut, after: Shortcut): string[] {
  const { device, far, here } = namesOf(after.vxlanId)
  const gone = before.cables.filter((cable) => !after.cables.some((other) => isSame(cable, other)))
  const come = after.cables.filter((cable) => !before.cables.some((other) => isSame(cable, other)))
  return [
    ...elements(
      'delete',
      table,
      far,
      [...before.far].filter((mac) => !after.far.has(mac)),
    ),
    ...gone.flatMap((cable) => removeCable(table, here, cable)),
    ...come.flatMap((cable) => [
      `add chain netdev ${table} ${outbound(cable)} ${hook(cable.device)}`,
      `add rule netdev ${table} ${outbound(cable)} ether saddr ${cable.mac} ip saddr ${cable.address} ether daddr @${far} fwd to "${device}"`,
      ...elements('add', table, here, [`${cable.mac} : "${cable.device}"`]),
    ]),
    ...elements(
      'add',
      table,
      far,
      [...after.far].filter((mac) => !before.far.has(mac)),
    ),
  ]
}

function removal(table: string, { vxlanId, cables }: Shortcut): string[] {
  const { far, here, inbound } = namesOf(vxlanId)
  return [
    ...cables.flatMap((cable) => removeCable(table, here, cable)),
    ...removeChain(table, inbound),
    `delete map netdev ${table} ${here}`,
    `delete set netdev ${table} ${far}`,
  ]
}

const removeCable = (table: string, here: string, cable: ShortcutCable): string[] => [
  `delete element netdev ${table} ${here} { ${cable.mac} }`,
  ...removeChain(table, outbound(cable)),
]

const removeChain = (table: string, chain: string): string[] => [
  `flush chain netdev ${table} ${chain}`,
  `delete chain netdev ${table} ${chain}`,
]

const elements = (verb: 'add' | 'delete', table: string, set: string, values: readonly string[]): string[] =>
  values.length === 0 ? [] : [`${verb} element netdev ${table} ${set} { ${values.join(', ')} }`]

const isSame = (a: ShortcutCable, b: ShortcutCable): boolean =>
  a.device === b.device && a.mac === b.mac && a.address === b.address
