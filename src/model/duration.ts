const units = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

/** `1h30m`, `90s`, `500ms`, `0`: as the docker CLI takes them. Undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount = '', unit = 's'] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
    total += Number(amount) * units[unit as keyof typeof units]
  return total
}
