import type { SchedulingStrategy } from '#model/cluster.ts'
import { binpack } from './binpack.ts'
import { random } from './random.ts'
import { spread } from './spread.ts'
import type { Strategy } from './strategy.ts'

export const strategies: Readonly<Record<SchedulingStrategy, Strategy>> = { spread, binpack, random }
