import { MureError } from '#lib/errors.ts'
import type { EngineAnswer } from './adaptor.ts'

export type JsonObject = Record<string, unknown>

/** Undefined for whatever is not an object; the engine has its own words for that. */
export const asObject = (value: unknown): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined

export const asObjects = (value: unknown): JsonObject[] =>
  Array.isArray(value) ? value.map(asObject).filter((entry) => entry !== undefined) : []

export const asText = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Go's zero values: an option that was not set. */
export const isSet = (value: unknown): boolean =>
  value !== undefined && value !== null && value !== false && value !== 0 && value !== ''

/** As Docker's CLI words it for an option that the daemon is too old for. */
export const tooOld = (option: string, since: string): MureError =>
  new MureError(
    'invalid',
    `"${option}" requires API version ${since}, but the Docker Engine of this host is older`,
  )

/** The answer with its body changed, if it is a good one. */
export const mapJson = (answer: EngineAnswer, change: (json: unknown) => unknown): EngineAnswer =>
  answer.status === 200 ? { status: 200, json: change(answer.json) } : answer
