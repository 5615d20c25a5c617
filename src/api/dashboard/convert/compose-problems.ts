import type { ComposeProblem } from '../wire.ts'

/** What docker said of a compose file, each with its line where that can be told. */
export function composeProblems(compose: string, said: string): ComposeProblem[] {
  const problems: ComposeProblem[] = []
  for (const line of said.split('\n').map((text) => text.trim())) {
    if (line === '') continue
    const place = lineOf(compose, line)
    problems.push({ message: line, ...(place === undefined ? {} : { line: place }) })
  }
  return problems
}

function lineOf(compose: string, message: string): number | undefined {
  const told = /\byaml: .*?line (\d+)/.exec(message)?.[1] ?? /\bline (\d+)/.exec(message)?.[1]
  if (told !== undefined) return Number(told)
  const path = /^((?:services|networks|volumes|secrets|configs)(?:\.[\w-]+)*)/.exec(message)?.[1]?.split('.')
  const extra = /Additional property (\S+) is not allowed/.exec(message)?.[1]
  if (path !== undefined) return lineOfPath(compose, extra === undefined ? path : [...path, extra])
  if (extra !== undefined) return lineOfPath(compose, [extra])
  // "service web: undefined network x": the first place where the name stands.
  const name = /"([\w.-]+)"|(?:undefined \w+|not found:) "?([\w.-]+)"?/.exec(message)
  const word = name?.[1] ?? name?.[2]
  if (word === undefined) return undefined
  const found = compose
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, ''))
    .findIndex((line) => new RegExp(`(^|[^\\w-])${escaped(word)}($|[^\\w-])`).test(line))
  return found < 0 ? undefined : found + 1
}

/**
 * The line of a key in a file in block style, by its indentation: `['services', 'web', 'ports']`. Where the whole path
 * is not found (it is within a line, or a list), the line of as much of it as is.
 */
export function lineOfPath(compose: string, path: readonly string[]): number | undefined {
  let depth = 0
  let found: number | undefined
  /** Of the key that was found last, and of the keys directly below it. */
  let parent = -1
  let children: number | undefined = 0
  for (const [index, line] of compose.split('\n').entries()) {
    const [, spaces, key] = /^( *)["']?([^\s"'#:-][^"'#:]*?)["']?\s*:(?:\s|$)/.exec(line) ?? []
    if (spaces === undefined || key === undefined) continue
    const indent = spaces.length
    // Out of the part that the path led into: what follows is something else's.
    if (indent <= parent) break
    children ??= indent
    if (indent !== children || key !== path[depth]) continue
    found = index + 1
    depth += 1
    if (depth === path.length) break
    const item = path[depth] ?? ''
    if (/^\d+$/.test(item)) return lineOfItem(compose, found, Number(item)) ?? found
    parent = indent
    children = undefined
  }
  return found
}

/** Of a list in block style below the key at this line. */
function lineOfItem(compose: string, keyLine: number, item: number): number | undefined {
  let indent: number | undefined
  let count = -1
  for (const [index, line] of compose.split('\n').entries()) {
    if (index < keyLine || line.trim() === '') continue
    const spaces = line.length - line.trimStart().length
    indent ??= spaces
    if (spaces < indent || (spaces === indent && !line.trimStart().startsWith('-'))) return undefined
    if (spaces === indent) count += 1
    if (count === item) return index + 1
  }
  return undefined
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
