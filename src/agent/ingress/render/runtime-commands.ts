import type { SlotChange } from './slots.ts'

/** The name of a slot's server. Slots count from 1, as `server-template` does. */
export const serverName = (slot: number): string => `s${String(slot + 1)}`

/** What to say on HAProxy's runtime socket, so that a backend's slots become so. */
export function runtimeCommands(backend: string, port: number, changes: readonly SlotChange[]): string[] {
  return changes.flatMap(({ slot, address }) => {
    const server = `${backend}/${serverName(slot)}`
    const leave = `set server ${server} state maint`
    if (address === '') return [leave]
    return [
      leave,
      `set server ${server} addr ${address} port ${String(port)}`,
      `set server ${server} state ready`,
      `enable health ${server}`,
    ]
  })
}

/** What HAProxy answers when it did what it was told; everything else is a refusal. */
const agreed = /^(?:$|IP changed |port changed |no need to change |nothing changed|.*changed.* by )/i

/** The lines of an answer that refuse something. */
export const refusals = (answer: string): string[] =>
  answer
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !agreed.test(line))
