import type { ComposeProblem } from '../wire.ts'
import { composeProblems } from './compose-problems.ts'

/** A file with more mistakes than that is not read to its end by anybody. */
const most = 50

/**
 * All that docker finds wrong with a compose file. It tells one thing at a time; so what it told is taken out, and it
 * is asked again. `refusalOf`: what docker says of a file, undefined if nothing.
 */
export async function everyProblem(
  compose: string,
  refusalOf: (compose: string) => Promise<string | undefined>,
): Promise<ComposeProblem[]> {
  const found: ComposeProblem[] = []
  let rest = compose
  while (found.length < most) {
    const said = await refusalOf(rest)
    if (said === undefined) break
    const problems = composeProblems(rest, said)
    const line = problems.find((problem) => problem.line !== undefined)?.line
    const next = line === undefined ? rest : withoutEntry(rest, line)
    // Not on a line of its own, or one that is there only because of what was taken out.
    if (next === rest) {
      if (found.length === 0) found.push(...problems)
      break
    }
    found.push(...problems)
    // A file that cannot be parsed is not understood any better without the line that it was noticed at.
    if (/^yaml:/m.test(said)) break
    rest = next
  }
  return found.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

/**
 * The file without the entry that begins at this line, and without what held nothing else: empty lines stand in their
 * places, so that all other lines keep their numbers.
 */
export function withoutEntry(compose: string, line: number): string {
  const lines = compose.split('\n')
  let at = line - 1
  while ((lines[at] ?? '').trim() !== '') {
    const indent = indentOf(lines[at] ?? '')
    const isItem = (lines[at] ?? '').trimStart().startsWith('-')
    for (let index = at + 1; index < lines.length; index++) {
      const text = lines[index] ?? ''
      if (text.trim() === '') continue
      const isBelow = indentOf(text) > indent
      // A list may stand as far left as its key.
      const isItsList = !isItem && indentOf(text) === indent && text.trimStart().startsWith('- ')
      if (!isBelow && !isItsList) break
      lines[index] = ''
    }
    lines[at] = ''
    const parent = parentOf(lines, at, indent)
    if (parent === undefined || hasChildren(lines, parent)) break
    at = parent
  }
  return lines.join('\n')
}

const indentOf = (text: string): number => text.length - text.trimStart().length
const isSaying = (text: string): boolean => text.trim() !== '' && !text.trimStart().startsWith('#')

/** The line that an entry stands below. */
function parentOf(lines: readonly string[], at: number, indent: number): number | undefined {
  for (let index = at - 1; index >= 0; index--) {
    const text = lines[index] ?? ''
    if (isSaying(text) && indentOf(text) < indent) return index
  }
  return undefined
}

function hasChildren(lines: readonly string[], parent: number): boolean {
  const own = lines[parent] ?? ''
  // Its value is on its line.
  if (!/:\s*(#.*)?$/.test(own)) return true
  const next = lines.slice(parent + 1).find(isSaying)
  return next !== undefined && indentOf(next) > indentOf(own)
}
