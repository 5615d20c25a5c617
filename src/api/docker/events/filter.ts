import { MureError } from '#lib/errors.ts'
import { jsonProblem } from '#lib/json-problem.ts'
import type { DockerEvent } from './source.ts'

/** Which of the cluster's events a client wants to hear. */
export type EventFilter = (event: DockerEvent) => boolean

/** A filter of one of these names compares with what the event is about, by its id or name, also by a part of them. */
const subjects = ['daemon', 'container', 'plugin', 'volume', 'network', 'node', 'service', 'secret', 'config']

/**
 * `filters` of `GET /events`. Names that Docker does not know it does not look at.
 * @see moby daemon/events/filter.go: the same rules
 */
export function parseEventFilter(text: string): EventFilter {
  const filters = parseLists(text)
  const exact = (name: string, value: string) => filters.get(name)?.includes(value) ?? true
  const fuzzy = (name: string, value: string) =>
    filters
      .get(name)
      ?.some((wanted) => value === wanted || value.startsWith(wanted) || contains(value, wanted)) ?? true
  const subject = (name: string, event: DockerEvent) =>
    fuzzy(name, event.Actor.ID) || fuzzy(name, event.Actor.Attributes['name'] ?? '')
  return (event) =>
    exact('event', event.Action) &&
    exact('type', event.Type) &&
    exact('scope', event.scope) &&
    subjects.every((name) => subject(name, event)) &&
    (exact('image', event.Actor.ID) || exact('image', event.Actor.Attributes['image'] ?? '')) &&
    (filters.get('label') ?? []).every((label) => hasLabel(event.Actor.Attributes, label))
}

/** Docker tries the wanted text as an expression too. */
function contains(value: string, wanted: string): boolean {
  try {
    return new RegExp(wanted).test(value)
  } catch {
    return false
  }
}

function hasLabel(attributes: Readonly<Record<string, string>>, label: string): boolean {
  const at = label.indexOf('=')
  return at < 0 ? label in attributes : attributes[label.slice(0, at)] === label.slice(at + 1)
}

function parseLists(text: string): Map<string, readonly string[]> {
  if (text === '') return new Map()
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    const reason = jsonProblem(text, 'unexpected end of JSON input') ?? 'invalid filter'
    throw new MureError('invalid', reason, { cause: error })
  }
  if (typeof parsed !== 'object' || parsed === null) throw new MureError('invalid', 'invalid filter')
  const lists = Object.entries(parsed).map(([name, values]: [string, unknown]): [string, string[]] => {
    if (Array.isArray(values)) return [name, values.map(String)]
    if (typeof values === 'object' && values !== null) return [name, Object.keys(values)]
    throw new MureError('invalid', 'invalid filter')
  })
  return new Map(lists.filter(([, values]) => values.length > 0))
}
