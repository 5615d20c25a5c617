import type { PathPattern } from '../../http/router.ts'
import { pathPattern } from '../../http/router.ts'
import { isOlder } from '../versions.ts'
import { asObject } from './json.ts'
import type { JsonObject } from './json.ts'

/** An answer of the engine whose body has been read. */
export interface EngineAnswer {
  readonly status: number
  readonly json: unknown
  /** Where the engine sends the client instead. */
  readonly location?: string
}

/** One client's call that an adaptor may change, on its way to an engine older than the client's API version. */
export interface AdaptedCall {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  /** Undefined where the client sent none, or the adaptor does not read it. */
  body: unknown
  readonly signal: AbortSignal
  /** Another call to the same engine, in its own newest version. */
  engine(method: string, path: string, body?: unknown): Promise<EngineAnswer>
}

/**
 * One change that the API made between two versions, made for an engine that does not know it yet. Where an engine
 * cannot do what the newer API means, the call is refused: nothing is dropped in silence.
 */
export interface Adaptor {
  /** It applies to clients of this version or newer, before engines that are older. */
  readonly since: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Refuses by throwing. A call that has no more than checks then goes to the engine unread, and may be a stream. */
  check?(query: URLSearchParams): void
  /** Whether `body` is read and sent on; else the client's body is not touched. */
  readonly readsBody?: boolean
  /** `next` asks the engine with the query and body as they are then. */
  adapt?(call: AdaptedCall, next: () => Promise<EngineAnswer>): Promise<EngineAnswer>
}

/** An adaptor that changes the request's body, or refuses it, and leaves the answer as it is. */
export const bodyAdaptor = (since: string, path: string, adapt: (body: JsonObject) => void): Adaptor => ({
  since,
  method: 'POST',
  path,
  readsBody: true,
  async adapt(call, next) {
    const body = asObject(call.body)
    if (body !== undefined) adapt(body)
    return next()
  },
})

export interface Adaptation {
  readonly params: Readonly<Record<string, string>>
  readonly adaptors: readonly Adaptor[]
}

/** Which adaptors a call needs; undefined for nearly all calls: those go to the engine unread. */
export class AdaptorTable {
  readonly #rows: readonly { readonly adaptor: Adaptor; readonly match: PathPattern }[]

  constructor(adaptors: readonly Adaptor[]) {
    this.#rows = adaptors.map((adaptor) => ({ adaptor, match: pathPattern(adaptor.path) }))
  }

  find(
    call: { method: string; path: string; clientVersion: string },
    engineVersion: string,
  ): Adaptation | undefined {
    if (!isOlder(engineVersion, call.clientVersion)) return undefined
    let params: Readonly<Record<string, string>> | undefined
    const adaptors: Adaptor[] = []
    for (const { adaptor, match } of this.#rows) {
      if (adaptor.method !== call.method) continue
      if (isOlder(call.clientVersion, adaptor.since) || !isOlder(engineVersion, adaptor.since)) continue
      const found = match(call.path)
      if (found === undefined) continue
      params ??= found
      adaptors.push(adaptor)
    }
    return params === undefined ? undefined : { params, adaptors }
  }
}

/** The adaptors around one another, the first outermost, and `last` within all of them. */
export function compose(
  adaptors: readonly Adaptor[],
  call: AdaptedCall,
  last: () => Promise<EngineAnswer>,
): Promise<EngineAnswer> {
  const [first, ...rest] = adaptors
  if (first === undefined) return last()
  const next = () => compose(rest, call, last)
  return first.adapt === undefined ? next() : first.adapt(call, next)
}
