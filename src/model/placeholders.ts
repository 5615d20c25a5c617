import { MureError } from '#lib/errors.ts'
import type { Task } from './task.ts'
import { taskName } from './task-name.ts'

/** What placeholders may tell of the host. */
export interface PlaceholderNode {
  readonly id: string
  readonly hostname: string
  readonly architecture: string
  readonly os: string
}

/** Further functions of one quoted argument, by name. */
export type PlaceholderFunctions = Readonly<Record<string, (argument: string) => string>>

/**
 * Fills in `{{.Node.Hostname}}` and its like. Of Go's template language only what Docker documents is there: the plain
 * fields, `index .Service.Labels "name"`, `join`, quoted text, comments and the trimming dashes. The rest is refused
 * rather than half understood.
 * @see https://docs.docker.com/reference/cli/docker/service/create/#create-services-using-templates
 */
export function expandPlaceholders(
  text: string,
  task: Task,
  node: PlaceholderNode,
  functions: PlaceholderFunctions = {},
): string {
  let result = ''
  let at = 0
  for (;;) {
    const open = text.indexOf('{{', at)
    if (open < 0) return result + text.slice(at)
    const close = text.indexOf('}}', open)
    if (close < 0) throw goError(`${String(lineAt(text, open))}: unclosed action`)
    const trimsBefore = /^-\s/.test(text.slice(open + 2, close))
    const trimsAfter = /\s-$/.test(text.slice(open + 2, close))
    const literal = text.slice(at, open)
    result += trimsBefore ? literal.trimEnd() : literal
    const expression = text.slice(open + (trimsBefore ? 3 : 2), close - (trimsAfter ? 1 : 0))
    const column = open + 2 - text.lastIndexOf('\n', open) - 1
    const place = `${String(lineAt(text, open))}:${String(column)}`
    result += valueOf(expression.trim(), task, node, functions, place)
    at = close + 2
    if (trimsAfter) at += text.slice(at).length - text.slice(at).trimStart().length
  }
}

const lineAt = (text: string, at: number): number => text.slice(0, at).split('\n').length

/** In Go's words, which Docker gives on and people search for. */
const goError = (text: string): MureError => new MureError('invalid', `template: expansion:${text}`)

const refusal = (placeholder: string, why: string): MureError =>
  new MureError('invalid', `the placeholder ${placeholder} ${why}`)

/** What Go says of a field that is not there: of what type the value is that lacks it. */
const typeOf: Readonly<Record<string, string>> = {
  '': '*template.Context',
  '.Service': 'struct { ID string; Name string; Labels map[string]string }',
  '.Node': 'struct { ID string; Hostname string; Platform template.Platform }',
  '.Node.Platform': 'template.Platform',
  '.Task': 'struct { ID string; Name string; Slot string }',
}

function unknownField(word: string, place: string, known: object): MureError | undefined {
  const names = /^(?:\.\w+)+$/.test(word) ? word.slice(1).split('.') : []
  let path = ''
  for (const name of names) {
    const type = typeOf[path]
    const next = `${path}.${name}`
    if (type === undefined) return undefined
    if (typeOf[next] === undefined && !Object.hasOwn(known, next))
      return goError(
        `${place}: executing "expansion" at <${word}>: can't evaluate field ${name} in type ${type}`,
      )
    path = next
  }
  return undefined
}

type Value = string | Readonly<Record<string, string>>

function valueOf(
  expression: string,
  task: Task,
  node: PlaceholderNode,
  functions: PlaceholderFunctions,
  place: string,
): string {
  const shown = `{{${expression}}}`
  if (/^\/\*.*\*\/$/s.test(expression)) return ''
  const words = expression.match(/"(?:[^"\\]|\\.)*"|`[^`]*`|[^\s"`]+/g) ?? []
  const [first = '', ...rest] = words
  const values = (list: readonly string[]) => list.map((word) => wordValue(word, shown, task, node, place))
  const texts = (list: readonly string[]) =>
    values(list).map((value) => {
      if (typeof value !== 'string') throw refusal(shown, 'uses all labels where a text is needed')
      return value
    })
  const called = own(functions, first)
  if (called !== undefined) {
    const [argument, ...more] = texts(rest)
    if (argument === undefined || more.length > 0) throw refusal(shown, 'needs one name')
    return called(argument)
  }
  if (first === 'join') {
    const [separator, ...parts] = texts(rest)
    if (separator === undefined) throw refusal(shown, 'joins nothing')
    return parts.join(separator)
  }
  if (first === 'index') {
    const [labels, key, ...more] = values(rest)
    if (typeof labels !== 'object' || typeof key !== 'string' || more.length > 0)
      throw refusal(shown, 'is not of the form {{index .Service.Labels "name"}}')
    return own(labels, key) ?? ''
  }
  if (words.length > 0 && /^[A-Za-z]\w*$/.test(first))
    throw goError(`${place.split(':')[0] ?? ''}: function "${first}" not defined`)
  if (words.length !== 1) throw refusal(shown, 'is not one that tasks offer')
  const [value] = values(words)
  return typeof value === 'object' ? goMap(value) : (value ?? '')
}

function wordValue(word: string, shown: string, task: Task, node: PlaceholderNode, place: string): Value {
  if (word.startsWith('`')) return word.slice(1, -1)
  if (word.startsWith('"')) return unquoted(word, shown)
  const label = /^\.Service\.Labels\.(\w+)$/.exec(word)?.[1]
  if (label !== undefined) {
    const value = own(task.serviceLabels, label)
    if (value === undefined) throw refusal(shown, `names a label that the service does not have: ${label}`)
    return value
  }
  const known = fields(task, node)
  const value = own(known, word)
  if (value === undefined)
    throw unknownField(word, place, known) ?? refusal(shown, 'is not one that tasks offer')
  return value
}

/** A name in a template is any text, `constructor` too. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

function unquoted(word: string, shown: string): string {
  try {
    return JSON.parse(word) as string
  } catch {
    throw refusal(shown, `has a text that is not well quoted: ${word}`)
  }
}

const fields = (task: Task, node: PlaceholderNode): Readonly<Record<string, Value>> => ({
  '.Service.ID': task.serviceId,
  '.Service.Name': task.serviceName,
  '.Service.Labels': task.serviceLabels,
  '.Node.ID': node.id,
  '.Node.Hostname': node.hostname,
  '.Node.Platform.Architecture': node.architecture,
  '.Node.Platform.OS': node.os,
  '.Task.ID': task.meta.id,
  '.Task.Name': taskName(task),
  '.Task.Slot': task.slot > 0 ? String(task.slot) : task.nodeId,
})

/** As Go prints a map. */
const goMap = (map: Readonly<Record<string, string>>): string =>
  `map[${Object.keys(map)
    .sort()
    .map((key) => `${key}:${map[key] ?? ''}`)
    .join(' ')}]`
