import { MureError } from '#lib/errors.ts'
import { jsonProblem } from '#lib/json-problem.ts'

/** The `filters` of a listing: each name with its values, any of which may match. */
export type Filters = ReadonlyMap<string, readonly string[]>

/** Both forms that clients send: `{"name":["a"]}` and the older `{"name":{"a":true}}`. Unknown names are refused. */
export function parseFilters(text: string | null, known: readonly string[]): Filters {
  if (text === null || text === '') return new Map()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    const reason = jsonProblem(text, 'unexpected end of JSON input') ?? 'invalid filter'
    throw new MureError('invalid', reason, { cause: error })
  }
  if (parsed === null) return new Map()
  if (typeof parsed !== 'object' || Array.isArray(parsed)) throw unfit(parsed, 'map[string]map[string]bool')
  const filters = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (!known.includes(name)) throw new MureError('invalid', `Invalid filter '${name}'`)
    filters.set(name, valuesOf(value))
  }
  return filters
}

/** A filter that takes only some values. */
export function refuseOtherValues(filters: Filters, name: string, values: readonly string[]): void {
  for (const wanted of filters.get(name) ?? [])
    if (!values.includes(wanted)) throw new MureError('invalid', `Invalid ${name} filter: '${wanted}'`)
}

function valuesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value === 'object' && value !== null)
    return Object.entries(value as Record<string, unknown>).flatMap(([key, on]) =>
      on === false ? [] : [key],
    )
  throw unfit(value, 'map[string]bool')
}

const unfit = (value: unknown, type: string): MureError =>
  new MureError(
    'invalid',
    `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type ${type}`,
  )

/** No such filter, or any of its values matches. */
export function matches(filters: Filters, name: string, test: (value: string) => boolean): boolean {
  const values = filters.get(name)
  return values === undefined || values.length === 0 || values.some(test)
}

/** `key` or `key=value`, all of which must be there. */
export function matchesLabels(
  filters: Filters,
  name: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (filters.get(name) ?? []).every((wanted) => {
    const at = wanted.indexOf('=')
    return at < 0 ? wanted in labels : labels[wanted.slice(0, at)] === wanted.slice(at + 1)
  })
}
