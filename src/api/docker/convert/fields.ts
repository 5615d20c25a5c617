import { MureError } from '#lib/errors.ts'

/**
 * Reads one JSON object of a request. A member of the wrong type is refused as Go's decoder does it, with the names
 * of Docker's own types; null means absent, as in Go.
 */
export class Fields {
  readonly #object: Readonly<Record<string, unknown>>
  /** The name of the type that Docker decodes it into. */
  readonly #type: string
  /** The members that lead to it, each with a dot behind. */
  readonly #path: string

  constructor(value: unknown, type: string, path = '') {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw unfit(kindOf(value), `value of type ${qualified(type)}`)
    this.#object = value as Record<string, unknown>
    this.#type = type
    this.#path = path
  }

  has(name: string): boolean {
    return this.raw(name) !== undefined
  }

  /** As Go's decoder finds it: by its name, or by one that differs in case alone. Clients rely on it. */
  raw(name: string): unknown {
    if (name in this.#object) return this.#object[name] ?? undefined
    const lower = name.toLowerCase()
    const other = Object.keys(this.#object).find((key) => key.toLowerCase() === lower)
    return other === undefined ? undefined : (this.#object[other] ?? undefined)
  }

  /** `type`: the name that Docker has for this kind of text. */
  string(name: string, type = 'string'): string | undefined {
    return this.#typed(name, type, (value): value is string => typeof value === 'string')
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, 'bool', (value): value is boolean => typeof value === 'boolean')
  }

  /** A whole number: Go's integers take no fraction. */
  integer(name: string): number | undefined {
    return this.#typed(name, 'int64', (value): value is number => Number.isInteger(value))
  }

  /** A whole number that is not below zero, of so many bits. */
  unsigned(name: string, bits: 32 | 64 = 64): number | undefined {
    return this.#typed(
      name,
      `uint${String(bits)}`,
      (value): value is number =>
        Number.isInteger(value) && (value as number) >= 0 && (value as number) < 2 ** bits,
    )
  }

  number(name: string): number | undefined {
    return this.#typed(name, 'float32', (value): value is number => typeof value === 'number')
  }

  /** Nanoseconds in Docker's dialect, milliseconds in ours. */
  duration(name: string): number | undefined {
    const isDuration = (value: unknown): value is number => Number.isInteger(value)
    const nanoseconds = this.#typed(name, 'time.Duration', isDuration)
    return nanoseconds === undefined ? undefined : nanoseconds / 1e6
  }

  /** Bytes, as the text that they came as. */
  bytes(name: string): string | undefined {
    return this.#typed(name, '[]uint8', (value): value is string => typeof value === 'string')
  }

  object(name: string): Fields | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    const type = typeNames[name] ?? name
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, qualified(type), value)
    return new Fields(value, type, `${this.#path}${name}.`)
  }

  strings(name: string): string[] | undefined {
    return this.#list(name, '[]string')?.map((item) => {
      if (typeof item !== 'string' && item !== null) throw this.#wrong(name, 'string', item)
      return item ?? ''
    })
  }

  objects<T>(name: string, read: (fields: Fields) => T): T[] | undefined {
    const type = typeNames[name] ?? name
    return this.#list(name, `[]${qualified(type)}`)?.map((item) => {
      if (typeof item !== 'object' || item === null || Array.isArray(item))
        throw this.#wrong(name, qualified(type), item)
      return read(new Fields(item, type, `${this.#path}${name}.`))
    })
  }

  stringMap(name: string): Record<string, string> | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (typeof value !== 'object' || Array.isArray(value)) throw this.#wrong(name, 'map[string]string', value)
    return Object.fromEntries(
      Object.entries(value as object).map(([key, item]: [string, unknown]) => {
        if (typeof item !== 'string' && item !== null) throw this.#wrong(name, 'string', item)
        return [key, item ?? '']
      }),
    )
  }

  /** Lists of texts: a name, or a name and its value. */
  textLists(name: string): string[][] | undefined {
    return this.#list(name, '[][]string')?.map((item) => {
      if (!Array.isArray(item) || item.length === 0) throw this.#wrong(name, '[]string', item)
      return (item as unknown[]).map((text) => {
        if (typeof text !== 'string') throw this.#wrong(name, 'string', text)
        return text
      })
    })
  }

  #list(name: string, type: string): unknown[] | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (!Array.isArray(value)) throw this.#wrong(name, type, value)
    return value as unknown[]
  }

  #typed<T>(name: string, type: string, is: (value: unknown) => value is T): T | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    if (!is(value)) throw this.#wrong(name, type, value)
    return value
  }

  #wrong(name: string, type: string, value: unknown): MureError {
    // Go tells the number where it is one that the type cannot hold.
    const isUnfitNumber = typeof value === 'number' && /^(u?int|float|time)/.test(type)
    const kind = isUnfitNumber ? `number ${String(value)}` : kindOf(value)
    return unfit(kind, `struct field ${this.#type}.${this.#path}${name} of type ${type}`)
  }
}

const unfit = (kind: string, into: string): MureError =>
  new MureError('invalid', `invalid JSON: json: cannot unmarshal ${kind} into Go ${into}`)

/** Members whose type has another name in Docker than they have. */
const typeNames: Readonly<Record<string, string>> = {
  Config: 'IPAMConfig',
  Configs: 'ConfigReference',
  DiscreteResourceSpec: 'DiscreteGenericResource',
  Dispatcher: 'DispatcherConfig',
  DriverConfig: 'Driver',
  ExternalCAs: 'ExternalCA',
  GenericResources: 'GenericResource',
  Global: 'GlobalService',
  Healthcheck: 'HealthConfig',
  Limits: 'Limit',
  LogDriver: 'Driver',
  Mode: 'ServiceMode',
  Mounts: 'Mount',
  NamedResourceSpec: 'NamedGenericResource',
  Networks: 'NetworkAttachmentConfig',
  Orchestration: 'OrchestrationConfig',
  Platforms: 'Platform',
  Ports: 'PortConfig',
  Preferences: 'PlacementPreference',
  Raft: 'RaftConfig',
  Replicated: 'ReplicatedService',
  Reservations: 'Resources',
  Resources: 'ResourceRequirements',
  RollbackConfig: 'UpdateConfig',
  Secrets: 'SecretReference',
  Spread: 'SpreadOver',
  TaskTemplate: 'TaskSpec',
  Templating: 'Driver',
  Ulimits: 'Ulimit',
}

/** With the package that Docker has it in. */
function qualified(type: string): string {
  if (type === 'IPAM' || type === 'IPAMConfig') return `network.${type}`
  return `${type.startsWith('NetworkC') ? 'types' : 'swarm'}.${type}`
}

function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'boolean') return 'bool'
  return typeof value === 'bigint' ? 'number' : typeof value
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
export function timestamp(ms: number): string {
  const second = Math.floor(ms / 1_000)
  const rest = Math.floor(ms) - second * 1_000
  if (rest === 0) return `${secondText(second)}Z`
  const digits = String(rest).padStart(3, '0')
  return `${secondText(second)}.${digits.slice(0, rest % 100 === 0 ? 1 : rest % 10 === 0 ? 2 : 3)}Z`
}

/** Lists show thousands of moments, and most within few seconds. */
const secondTexts = new Map<number, string>()
const mostSeconds = 1_000

function secondText(second: number): string {
  let text = secondTexts.get(second)
  if (text === undefined) {
    if (secondTexts.size >= mostSeconds) secondTexts.clear()
    text = new Date(second * 1_000).toISOString().slice(0, -'.000Z'.length)
    secondTexts.set(second, text)
  }
  return text
}

/** Go's `omitempty`: no zero, empty text, false, empty list or map. */
export function omitEmpty<T>(value: T | undefined): T | undefined {
  if (value === undefined || value === null || value === '' || value === 0 || value === false)
    return undefined
  if (Array.isArray(value)) return value.length === 0 ? undefined : value
  return typeof value === 'object' && Object.keys(value).length === 0 ? undefined : value
}
