import { MureError } from '#lib/errors.ts'

/** Reads one JSON object of a request. A member of the wrong type is refused by its path; null means absent, as in Go. */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new MureError('invalid', `invalid JSON: ${path} must be an object, not ${kindOf(value)}`)
    this.#object = value as Record<string, unknown>
    this.#path = path
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  raw(name: string): unknown {
    return this.#object[name] ?? undefined
  }

  string(name: string): string | undefined {
    return this.#typed(name, 'a string', (value): value is string => typeof value === 'string')
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, 'true or false', (value): value is boolean => typeof value === 'boolean')
  }

  /** A whole number: Go's integers take no fraction. */
  integer(name: string): number | undefined {
    return this.#typed(name, 'a whole number', (value): value is number => Number.isInteger(value))
  }

  number(name: string): number | undefined {
    return this.#typed(name, 'a number', (value): value is number => typeof value === 'number')
  }

  /** Nanoseconds in Docker's dialect, milliseconds in ours. */
  duration(name: string): number | undefined {
    const nanoseconds = this.integer(name)
    return nanoseconds === undefined ? undefined : nanoseconds / 1e6
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name)
    return value === undefined ? undefined : new Fields(value, `${this.#path}.${name}`)
  }

  list<T>(name: string, read: (item: unknown, path: string) => T): T[] | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list', value)
    return value.map((item, index) => read(item, `${this.#path}.${name}[${String(index)}]`))
  }

  strings(name: string): string[] | undefined {
    return this.list(name, (item, path) => {
      if (typeof item !== 'string') throw new MureError('invalid', `invalid JSON: ${path} must be a string`)
      return item
    })
  }

  objects<T>(name: string, read: (fields: Fields) => T): T[] | undefined {
    return this.list(name, (item, path) => read(new Fields(item, path)))
  }

  stringMap(name: string): Record<string, string> | undefined {
    const object = this.raw(name)
    if (object === undefined) return undefined
    const fields = new Fields(object, `${this.#path}.${name}`)
    const entries = Object.keys(object as object).map((key): [string, string] => [
      key,
      fields.string(key) ?? '',
    ])
    return Object.fromEntries(entries)
  }

  #typed<T>(name: string, wanted: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (!is(value)) throw this.#wrong(name, wanted, value)
    return value
  }

  #wrong(name: string, wanted: string, value: unknown): MureError {
    return new MureError(
      'invalid',
      `invalid JSON: ${this.#path}.${name} must be ${wanted}, not ${kindOf(value)}`,
    )
  }
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value).slice(0, 40)}`
}

/** One of a closed set of words, compared as Docker does: without regard to case. */
export function oneOf<T extends string>(
  value: string | undefined,
  words: readonly T[],
  refusal: string,
): T | undefined {
  if (value === undefined || value === '') return undefined
  const found = words.find((word) => word === value.toLowerCase())
  if (found === undefined) throw new MureError('invalid', refusal)
  return found
}

/** Milliseconds as Docker's nanoseconds. */
export const nanoseconds = (ms: number | undefined): number | undefined =>
  ms === undefined ? undefined : Math.round(ms * 1e6)

/** A moment as Go prints it: RFC 3339 with as many digits as there are. */
export const timestamp = (ms: number): string => new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z')

/** Go's `omitempty`: no zero, empty text, false, empty list or map. */
export function omitEmpty<T>(value: T | undefined): T | undefined {
  if (value === undefined || value === null || value === '' || value === 0 || value === false)
    return undefined
  if (Array.isArray(value)) return value.length === 0 ? undefined : value
  return typeof value === 'object' && Object.keys(value).length === 0 ? undefined : value
}
