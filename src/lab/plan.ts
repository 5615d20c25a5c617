import { MureError } from '#lib/errors.ts'
import type { HostKind, LabHost, LabRecord } from './record.ts'

/** What a person asked for; what is left out stays as it is, or, in a new lab, becomes the default. */
export interface LabWish {
  readonly name: string
  readonly managers?: number | undefined
  readonly workers?: number | undefined
  /** Also of hosts that are added later; undefined: as the others, `mure` in a new lab. */
  readonly kind?: Exclude<HostKind, 'registry'> | undefined
}

/** The workshop's topology: manager01, worker01, worker02, worker03. */
const defaults = { managers: 1, workers: 3, kind: 'mure' } as const

const maxLabs = 100
/** Last byte of the first host of each role. */
const firstOf = { registry: 2, manager: 11, worker: 51 } as const
const maxOf = { manager: firstOf.worker - firstOf.manager, worker: 255 - firstOf.worker } as const

const networkOf = (index: number): string => `192.168.${String(100 + index)}`
export const prefixLength = 24
/** The wire's own address: the hosts' default route, where nothing is reached, and nothing hangs. */
export const gatewayOf = (index: number): string => `${networkOf(index)}.1`

/** The lab with every host that was wished for; hosts that are there already stay as they are. */
export function planLab(wish: LabWish, existing: LabRecord | undefined, taken: readonly number[]): LabRecord {
  const known = existing?.hosts ?? []
  const count = (role: LabHost['role']) => known.filter((host) => host.role === role).length
  const index = existing?.index ?? freeIndex(taken)
  const kind = wish.kind ?? known.find((host) => host.kind !== 'registry')?.kind ?? defaults.kind
  const numbered = (role: 'manager' | 'worker', wanted: number) => {
    if (wanted > maxOf[role])
      throw new MureError('invalid', `a lab has up to ${String(maxOf[role])} ${role}s, not ${String(wanted)}`)
    return Array.from({ length: wanted }, (_, i): LabHost => {
      const name = `${role}${String(i + 1).padStart(2, '0')}`
      return { name, kind, role, address: `${networkOf(index)}.${String(firstOf[role] + i)}` }
    })
  }
  const managers = wish.managers ?? (existing === undefined ? defaults.managers : count('manager'))
  const workers = wish.workers ?? (existing === undefined ? defaults.workers : count('worker'))
  if (managers < 1) throw new MureError('invalid', 'a lab has 1 manager or more')
  const registry: LabHost = {
    name: 'registry',
    kind: 'registry',
    role: 'registry',
    address: `${networkOf(index)}.${String(firstOf.registry)}`,
  }
  const wished = [registry, ...numbered('manager', managers), ...numbered('worker', workers)]
  const added = wished.filter((host) => known.every((other) => other.name !== host.name))
  return { name: wish.name, index, hosts: [...known, ...added], forwards: existing?.forwards ?? [] }
}

function freeIndex(taken: readonly number[]): number {
  for (let index = 0; index < maxLabs; index++) if (!taken.includes(index)) return index
  throw new MureError('exhausted', `there are ${String(maxLabs)} labs already`)
}
