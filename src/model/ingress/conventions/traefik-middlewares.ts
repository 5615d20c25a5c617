import { parseDuration } from '../../duration.ts'
import type { HeaderToSet, IngressDeclaration, IngressUser, RateLimit } from '../declaration.ts'
import { listOf, readFlag, readHeader, readNetwork, readPath, readUser } from '../values.ts'
import type { Read, Reader } from '../values.ts'

/** What middlewares make of a router; `isRedirect`: requests without TLS are sent to it. */
export interface Middlewares extends Pick<
  IngressDeclaration,
  'rewrite' | 'allowedFrom' | 'users' | 'requestHeaders' | 'responseHeaders' | 'rateLimit'
> {
  readonly isRedirect: boolean
}

interface Draft {
  isRedirect: boolean
  strip: string[]
  add: string
  allowedFrom?: string[]
  users?: IngressUser[]
  requestHeaders: HeaderToSet[]
  responseHeaders: HeaderToSet[]
  rateLimit: RateLimit | undefined
}

/** They make an answer faster or try again: without them a route does what it should, only otherwise. */
const dispensable = [
  'compress',
  'retry',
  'buffering',
  'circuitbreaker',
  'errors',
  'inflightreq',
  'contenttype',
]
const deepest = 5
/** With Traefik each of them has to let a request pass. */
const onlyOne = 'a route has one such middleware here, so the route is left out'

/**
 * The middlewares of a router, by their names. One that is not understood is a problem, since many of them keep people
 * out. `labels`: names in lower case.
 * @see https://doc.traefik.io/traefik/middlewares/http/overview/
 */
export function middlewaresOf(
  reader: Reader,
  labels: ReadonlyMap<string, string>,
  where: string,
  names: readonly string[],
): Middlewares {
  const draft: Draft = {
    isRedirect: false,
    strip: [],
    add: '',
    requestHeaders: [],
    responseHeaders: [],
    rateLimit: undefined,
  }
  for (const name of names) read(reader, labels, where, name, draft, deepest)
  const { strip, add, requestHeaders, responseHeaders, rateLimit, ...others } = draft
  return {
    ...others,
    ...(strip.length === 0 && add === ''
      ? {}
      : { rewrite: { prefixes: strip.length === 0 ? ['/'] : strip, by: add === '' ? '/' : add } }),
    // A period alone limits nothing.
    ...(rateLimit === undefined || rateLimit.requests === 0 ? {} : { rateLimit }),
    ...(requestHeaders.length === 0 ? {} : { requestHeaders }),
    ...(responseHeaders.length === 0 ? {} : { responseHeaders }),
  }
}

function read(
  reader: Reader,
  labels: ReadonlyMap<string, string>,
  where: string,
  name: string,
  draft: Draft,
  depth: number,
): void {
  const [own = '', provider = 'docker'] = name.toLowerCase().split('@')
  const prefix = `traefik.http.middlewares.${own}.`
  const found = [...labels].filter(([label]) => label.startsWith(prefix))
  if (found.length === 0 || !['docker', 'swarm'].includes(provider) || depth === 0) {
    reader.problems.push(`${where}: there is no middleware ${name} among the labels of this service`)
    return
  }
  for (const [label, text] of found) {
    const [kind = '', ...rest] = label.slice(prefix.length).split('.')
    if (kind === 'chain')
      for (const one of listOf(text)) read(reader, labels, `label ${label}`, one, draft, depth - 1)
    else readOption(reader, label, kind, rest, text, draft)
  }
}

function readOption(
  reader: Reader,
  label: string,
  kind: string,
  path: readonly string[],
  text: string,
  draft: Draft,
): void {
  const where = `label ${label}`
  // One without a single entry lets nobody in.
  if (kind === 'basicauth' && path[0] !== 'users') draft.users ??= []
  const all = <T>(reads: (text: string) => Read<T>) => reader.all(where, listOf(text), reads)
  switch (`${kind}.${path[0] ?? ''}`) {
    case 'stripprefix.prefixes':
      draft.strip.push(...all(readPath))
      return
    case 'addprefix.prefix':
      draft.add = reader.take(where, readPath(text)) ?? ''
      return
    case 'redirectscheme.scheme':
      if (text.trim().toLowerCase() === 'https') draft.isRedirect = true
      else reader.problems.push(`${where}: only https is understood`)
      return
    case 'basicauth.users':
      if (draft.users !== undefined) reader.problems.push(`${where}: ${onlyOne}`)
      draft.users = all(readUser)
      return
    case 'ipallowlist.sourcerange':
    case 'ipwhitelist.sourcerange':
      if (draft.allowedFrom !== undefined) reader.problems.push(`${where}: ${onlyOne}`)
      draft.allowedFrom = all(readNetwork)
      return
    case 'ratelimit.average':
    case 'ratelimit.period':
      draft.rateLimit = readLimit(reader, where, path[0] ?? '', text, draft.rateLimit)
      return
    // They change how, not who.
    case 'stripprefix.forceslash':
    case 'redirectscheme.permanent':
    case 'redirectscheme.port':
    case 'basicauth.realm':
    case 'basicauth.removeheader':
    case 'ratelimit.burst':
      return
    case `headers.${path[0] ?? ''}`:
      readHeaderOption(reader, where, path, text, draft)
      return
    default:
      if (!dispensable.includes(kind))
        reader.problems.push(`${where}: this middleware is not understood, so the route is left out`)
  }
}

function readLimit(
  reader: Reader,
  where: string,
  option: string,
  text: string,
  before: RateLimit | undefined,
): RateLimit | undefined {
  if (option === 'average') {
    if (/^\d{1,7}$/.test(text.trim()) && Number(text) > 0)
      return { requests: Number(text), perSeconds: before?.perSeconds ?? 1 }
  } else {
    const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : parseDuration(text.trim())
    if (ms !== undefined && ms >= 1000)
      return { requests: before?.requests ?? 0, perSeconds: Math.min(3600, Math.round(ms / 1000)) }
  }
  reader.problems.push(`${where}: "${text.slice(0, 60)}" is not understood`)
  return before
}

const headersOfFlags: Readonly<Record<string, readonly [string, string]>> = {
  framedeny: ['X-Frame-Options', 'DENY'],
  contenttypenosniff: ['X-Content-Type-Options', 'nosniff'],
  browserxssfilter: ['X-XSS-Protection', '1; mode=block'],
}
const headersOfTexts: Readonly<Record<string, string>> = {
  stsseconds: 'Strict-Transport-Security',
  customframeoptionsvalue: 'X-Frame-Options',
  contentsecuritypolicy: 'Content-Security-Policy',
  referrerpolicy: 'Referrer-Policy',
  permissionspolicy: 'Permissions-Policy',
}

function readHeaderOption(
  reader: Reader,
  where: string,
  [option = '', name = '']: readonly string[],
  text: string,
  draft: Draft,
): void {
  const take = (header: string, value: string, list: HeaderToSet[]) => {
    const one = reader.take(where, readHeader(header, value))
    if (one !== undefined) list.push(one)
  }
  const flag = Object.hasOwn(headersOfFlags, option) ? headersOfFlags[option] : undefined
  const ofText = Object.hasOwn(headersOfTexts, option) ? headersOfTexts[option] : undefined
  if (option === 'customrequestheaders') take(name, text, draft.requestHeaders)
  else if (option === 'customresponseheaders') take(name, text, draft.responseHeaders)
  else if (flag !== undefined) {
    if (reader.take(where, readFlag(text)) === true) take(...flag, draft.responseHeaders)
  } else if (ofText !== undefined)
    take(ofText, option === 'stsseconds' ? `max-age=${text.trim()}` : text, draft.responseHeaders)
  else if (!['stsincludesubdomains', 'stspreload', 'forcestsheader', 'sslredirect'].includes(option))
    reader.problems.push(`${where}: this header is not understood, so the route is left out`)
}
