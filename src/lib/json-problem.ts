/**
 * What is wrong with a text that is no JSON, in the words of Go's `encoding/json`: clients of Docker know these.
 * `atEnd` is said of a text that ends too early. Undefined when the text begins with a whole value and nothing else.
 */
export function jsonProblem(text: string, atEnd: string): string | undefined {
  try {
    const rest = skipSpace(text, value(text, skipSpace(text, 0)))
    return rest === text.length ? undefined : invalid(text, rest, 'after top-level value')
  } catch (error) {
    if (!(error instanceof Found)) throw error
    return error.at >= text.length ? atEnd : invalid(text, error.at, error.where)
  }
}

/** The first character that does not fit, and where Go would say it is. */
class Found extends Error {
  readonly at: number
  readonly where: string

  constructor(at: number, where: string) {
    super(where)
    this.at = at
    this.where = where
  }
}

function invalid(text: string, at: number, where: string): string {
  const character = String.fromCodePoint(text.codePointAt(at) ?? 0)
  const shown = character === "'" ? String.raw`\'` : character === '"' ? '"' : quoted(character)
  return `invalid character '${shown}' ${where}`
}

const quoted = (character: string): string => JSON.stringify(character).slice(1, -1)

function skipSpace(text: string, from: number): number {
  let i = from
  while (' \t\r\n'.includes(text[i] ?? 'x')) i++
  return i
}

/** Each of these reads one thing from `at` on and gives the place behind it. */
function value(text: string, at: number): number {
  const first = text[at] ?? ''
  if (first === '{') return members(text, at + 1)
  if (first === '[') return elements(text, at + 1)
  if (first === '"') return string(text, at + 1)
  if (first === '-' || isDigit(first)) return number(text, at)
  for (const word of ['true', 'false', 'null']) if (first === word[0]) return literal(text, at, word)
  throw new Found(at, 'looking for beginning of value')
}

function members(text: string, start: number): number {
  let at = skipSpace(text, start)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text[at] !== '"') throw new Found(at, 'looking for beginning of object key string')
    at = skipSpace(text, string(text, at + 1))
    if (text[at] !== ':') throw new Found(at, 'after object key')
    at = skipSpace(text, value(text, skipSpace(text, at + 1)))
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw new Found(at, 'after object key:value pair')
    at = skipSpace(text, at + 1)
  }
}

function elements(text: string, start: number): number {
  let at = skipSpace(text, start)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = skipSpace(text, value(text, at))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw new Found(at, 'after array element')
    at = skipSpace(text, at + 1)
  }
}

function string(text: string, start: number): number {
  for (let i = start; i < text.length; i++) {
    const character = text[i] ?? ''
    if (character === '"') return i + 1
    if (character < ' ') throw new Found(i, 'in string literal')
    if (character !== '\\') continue
    const escaped = text[++i] ?? ''
    if (escaped === 'u') {
      for (let digit = 1; digit <= 4; digit++)
        if (!/[0-9a-fA-F]/.test(text[i + digit] ?? ''))
          throw new Found(i + digit, String.raw`in \u hexadecimal character escape`)
      i += 4
    } else if (!'"\\/bfnrt'.includes(escaped === '' ? 'x' : escaped))
      throw new Found(i, 'in string escape code')
  }
  throw new Found(text.length, '')
}

function number(text: string, start: number): number {
  let at = text[start] === '-' ? start + 1 : start
  if (!isDigit(text[at])) throw new Found(at, 'in numeric literal')
  at = text[at] === '0' ? at + 1 : skipDigits(text, at)
  if (text[at] === '.') {
    if (!isDigit(text[at + 1])) throw new Found(at + 1, 'after decimal point in numeric literal')
    at = skipDigits(text, at + 1)
  }
  if (text[at] === 'e' || text[at] === 'E') {
    at += text[at + 1] === '+' || text[at + 1] === '-' ? 2 : 1
    if (!isDigit(text[at])) throw new Found(at, 'in exponent of numeric literal')
    at = skipDigits(text, at)
  }
  return at
}

function skipDigits(text: string, from: number): number {
  let i = from
  while (isDigit(text[i])) i++
  return i
}

const isDigit = (character: string | undefined): boolean =>
  character !== undefined && /^[0-9]$/.test(character)

function literal(text: string, start: number, word: string): number {
  for (let i = 1; i < word.length; i++)
    if (text[start + i] !== word[i])
      throw new Found(start + i, `in literal ${word} (expecting '${word[i] ?? ''}')`)
  return start + word.length
}
