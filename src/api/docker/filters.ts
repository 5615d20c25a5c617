import { MureError } from '#lib/errors.ts'

/** The `filters` of a listing: each name with its values, any of which may match. */
export type Filters = ReadonlyMap<string, readonly string[]>

/** Both forms that clients send: `{"name":["a"]}` and the older `{"name":{"a":true}}`. Unknown names are refused. */
export function parseFilters(text: string | null, known: readonly string[]): Filters {
  if (text === null || text === '') return new Map()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new MureError('invalid', 'invalid filter', { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new MureError('invalid', 'invalid filter')
  const filters = new Map<string, readonly string[]>()
  for (const [name, value] of Object.entries(parsed as Record<string, unknown>)) {
    if (!known.includes(name)) throw new MureError('invalid', `invalid filter '${name}'`)
    filters.set(name, valuesOf(name, value))
  }
  return filters
}

function valuesOf(name: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String)
  if (typeof value === 'object' && value !== null)
    return Object.entries(value as Record<string, unknown>).flatMap(([key, on]) =>
      on === false ? [] : [key],
    )
  throw new MureError('invalid', `invalid filter '${name}'`)
}

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
