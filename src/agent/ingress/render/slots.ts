// HAProxy keeps a fixed number of server slots in each backend; filling and emptying one needs no reload.

/** The addresses in a backend's slots; '' in one that is free. */
export type Slots = readonly string[]

export interface SlotChange {
  readonly slot: number
  /** '' when the slot is emptied. */
  readonly address: string
}

const fewest = 32

/** So many that the tasks may double before there must be more. */
export function slotCount(targets: number): number {
  let count = fewest
  while (count < targets * 2) count *= 2
  return count
}

/** Slots that are filled from the start, as for a backend that is new. */
export function filledSlots(targets: readonly string[], count = slotCount(targets.length)): Slots {
  return Array.from({ length: count }, (_, index) => targets[index] ?? '')
}

/**
 * Who is there keeps his slot, so that nothing happens to his connections. Undefined: there are more targets than
 * slots. Emptied slots are given out last, since connections to who had them may still be ending.
 */
export function assignSlots(
  before: Slots,
  targets: ReadonlySet<string>,
): { readonly slots: Slots; readonly changes: readonly SlotChange[] } | undefined {
  if (targets.size > before.length) return undefined
  const slots = [...before]
  const changes: SlotChange[] = []
  const free: number[] = []
  const emptied: number[] = []
  before.forEach((address, slot) => {
    if (address === '') free.push(slot)
    else if (!targets.has(address)) {
      slots[slot] = ''
      emptied.push(slot)
      changes.push({ slot, address: '' })
    }
  })
  const present = new Set(slots)
  const places = [...free, ...emptied]
  for (const address of targets) {
    if (present.has(address)) continue
    const slot = places.shift()
    if (slot === undefined) return undefined
    slots[slot] = address
    changes.push({ slot, address })
  }
  return { slots, changes }
}
