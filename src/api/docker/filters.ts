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
  for (const [name, value] of Object.entries(inNewForm(parsed as Record<string, unknown>))) {
    if (!known.includes(name)) throw new MureError('invalid', `Invalid filter '${name}'`)
    filters.set(name, Object.keys(value))
  }
  return filters
}

/** A filter that takes only some values, in any case, and none. */
export function refuseOtherValues(filters: Filters, name: string, values: readonly string[]): void {
  for (const wanted of filters.get(name) ?? [])
    if (wanted !== '' && !values.includes(wanted.toLowerCase()))
      throw new MureError('invalid', `Invalid ${name} filter: '${wanted}'`)
}

/** One form or the other, and not both in one text. Of `{"a":false}` Docker too sees the key alone. */
function inNewForm(parsed: Record<string, unknown>): Record<string, object> {
  const entries = Object.entries(parsed).map(([name, value]) => [name, value ?? {}] as const)
  if (entries.every(([, value]) => isTextList(value) || isNothing(value)))
    return Object.fromEntries(
      entries.map(([name, value]) => [name, Object.fromEntries(textsOf(value).map((text) => [text, true]))]),
    )
  const read = entries.map(([name, value]): [string, object] => {
    if (typeof value !== 'object' || Array.isArray(value)) throw unfit(value, 'map[string]bool')
    const wrong: unknown = Object.values(value).find((on) => typeof on !== 'boolean' && on !== null)
    if (wrong !== undefined) throw unfit(wrong, 'bool')
    return [name, value]
  })
  return Object.fromEntries(read)
}

const isTextList = (value: unknown): boolean =>
  Array.isArray(value) && (value as unknown[]).every((item) => typeof item === 'string' || item === null)

const isNothing = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? (value as unknown[]).map((item) => (typeof item === 'string' ? item : '')) : []

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

/** `key` or `key=value`, all of which must be there. Of objects of the swarm, `key=` is `key`. */
export function matchesLabels(
  filters: Filters,
  name: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  return (filters.get(name) ?? []).every((wanted) => {
    const at = wanted.indexOf('=')
    const [key, value] = at < 0 ? [wanted, ''] : [wanted.slice(0, at), wanted.slice(at + 1)]
    return value === '' ? key in labels : labels[key] === value
  })
}
