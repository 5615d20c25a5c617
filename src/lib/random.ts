import { takeRandomBytes } from './random-bytes.ts'

/** A source of chance, handed in wherever one is needed so that a run can be repeated by its seed. */
export interface Random {
  /** A whole number in [0, bound). */
  below(bound: number): number
}

export const systemRandom: Random = {
  below: (bound) => Math.floor((takeRandomBytes(6).readUIntBE(0, 6) / 2 ** 48) * bound),
}

/** A small fast generator (mulberry32): the same seed gives the same run. Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return {
    below(bound) {
      state = (state + 0x6d2b79f5) >>> 0
      let t = state
      t = Math.imul(t ^ (t >>> 15), t | 1)
      t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound)
    },
  }
}

export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = result[i] as T
    result[i] = result[j] as T
    result[j] = held
  }
  return result
}
