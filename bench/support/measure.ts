import { sleep } from '#lib/wait.ts'

/** The middle one: what a machine does besides spoils means. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Milliseconds until it is so, looked at every 10 ms, or less often where looking costs what is measured. */
export async function timeUntil(
  what: string,
  look: () => Promise<boolean>,
  { limitMs = 120_000, everyMs = 10 }: { readonly limitMs?: number; readonly everyMs?: number } = {},
): Promise<number> {
  const started = performance.now()
  while (!(await look())) {
    if (performance.now() - started > limitMs) throw new Error(`waited ${String(limitMs)} ms for ${what}`)
    await sleep(everyMs)
  }
  return performance.now() - started
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

export function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
