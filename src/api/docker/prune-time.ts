const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/**
 * The `until` of a prune: what was made before this moment (epoch milliseconds) may go. A Go duration back from now,
 * seconds of the epoch, or a date. What cannot be read spares everything.
 */
export function pruneBefore(until: string, now: number): number {
  const parts = [...until.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)]
  if (parts.length > 0 && parts.map(([part]) => part).join('') === until)
    return parts.reduce((at, [, value, unit = '']) => at - Number(value) * (unitMs[unit] ?? 0), now)
  if (/^\d+(\.\d+)?$/.test(until)) return Number(until) * 1_000
  const date = Date.parse(until)
  return Number.isNaN(date) ? -Infinity : date
}
