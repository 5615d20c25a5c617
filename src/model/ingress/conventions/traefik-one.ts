import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, ServiceFacts, TlsSource } from '../declaration.ts'
import {
  listOf,
  matchesOf,
  Reader,
  readFlag,
  readHost,
  readNetwork,
  readPath,
  readPort,
  readProtocol,
  readUser,
} from '../values.ts'
import type { Read } from '../values.ts'

/** They say how, not who and where: a route does without them what it should. */
const dispensable =
  /^(backend|weight|tags|docker\.network|domain|enable|frontend\.(passhostheader|priority|entrypoints|value|headers\..*)|backend\..*)$/

const understood =
  /^(port|protocol|frontend\.(rule|redirect\.entrypoint|auth\.basic(\.users)?|whitelist\.sourcerange))$/

/** What is said here holds for each segment that does not say otherwise. */
const forAll = 'traefik.frontend.'

/**
 * The labels of Traefik 1, which many swarms still carry: `traefik.frontend.rule=Host:a.org;PathPrefix:/x`,
 * `traefik.port`; several routes of a service are `traefik.<segment>.frontend.rule`.
 * @see https://doc.traefik.io/traefik/v1.7/configuration/backends/docker/
 */
export function traefikOne({ labels, defaultPort }: ServiceFacts): Declared | undefined {
  const all = new Map(Object.entries(labels).map(([label, text]) => [label.toLowerCase(), text]))
  const segments = [...all.keys()].flatMap((label) => {
    const [, segment] = /^traefik\.(?:([a-z0-9_-]+)\.)?frontend\.rule$/.exec(label) ?? [undefined, null]
    return segment === null ? [] : [segment ?? '']
  })
  if (segments.length === 0 || /^(0|f|false|no|off)$/i.test(all.get('traefik.enable') ?? '')) return undefined
  const reader = new Reader()
  const declarations = segments.flatMap((segment) => {
    const before = reader.problems.length
    const declaration = declarationOf(reader, all, segment, defaultPort)
    // What is only half understood would let in who must not.
    return reader.problems.length > before ? [] : [declaration]
  })
  return { declarations, problems: reader.problems }
}

function declarationOf(
  reader: Reader,
  labels: ReadonlyMap<string, string>,
  segment: string,
  defaultPort: number,
): IngressDeclaration {
  const prefix = segment === '' ? 'traefik.' : `traefik.${segment}.`
  // What a segment does not say is said for the whole service.
  const of = (name: string) => labels.get(prefix + name) ?? labels.get(`traefik.${name}`)
  const read = <T>(name: string, reads: (text: string) => Read<T>): T | undefined => {
    const text = of(name)
    return text === undefined ? undefined : reader.take(`label ${prefix}${name}`, reads(text))
  }
  const several = <T>(name: string, reads: (text: string) => Read<T>): T[] | undefined => {
    const text = of(name)
    return text === undefined ? undefined : reader.all(`label ${prefix}${name}`, listOf(text), reads)
  }
  for (const label of labels.keys()) {
    const itsPrefix = label.startsWith(forAll) ? 'traefik.' : prefix
    const name = label.startsWith(itsPrefix) ? label.slice(itsPrefix.length) : ''
    const isOurs =
      name !== '' &&
      (segment !== '' || !/^[^.]+\.(frontend|port|protocol)\b/.test(name) || name.startsWith('frontend.'))
    if (isOurs && !understood.test(name) && !dispensable.test(name))
      reader.problems.push(`label ${label} is not understood, so the route is left out`)
  }
  const rule = readRule(reader, `label ${prefix}frontend.rule`, of('frontend.rule') ?? '')
  const entryPoints = listOf(of('frontend.entrypoints') ?? '')
  if (entryPoints.length > 0 && !entryPoints.some((name) => /^https?$/i.test(name)))
    reader.problems.push(
      `label ${prefix}frontend.entryPoints: http and https are known, and what is for others is left out`,
    )
  const redirect = of('frontend.redirect.entrypoint')
  const isSecure = [...entryPoints, redirect].includes('https')
  const redirects = redirect === 'https' || !entryPoints.includes('http')
  return defined({
    matches: matchesOf(rule.hosts, rule.paths),
    port: read('port', readPort) ?? defaultPort,
    tls: isSecure ? ({ from: 'auto' } satisfies TlsSource) : undefined,
    withoutTls: isSecure && !redirects ? ('serve' as const) : undefined,
    isSticky:
      read('backend.loadbalancer.stickiness', readFlag) ??
      read('backend.loadbalancer.sticky', readFlag) ??
      false,
    healthCheckPath: read('backend.healthcheck.path', readPath),
    protocol: read('protocol', readProtocol) ?? ('http' as const),
    rewrite: rule.stripped.length === 0 ? undefined : { prefixes: rule.stripped, by: '/' },
    users: several('frontend.auth.basic.users', readUser) ?? several('frontend.auth.basic', readUser),
    allowedFrom: several('frontend.whitelist.sourcerange', readNetwork),
  })
}

interface Rule {
  readonly hosts: string[]
  readonly paths: string[]
  readonly stripped: string[]
}

/** `Host:a.org,b.org;PathPrefixStrip:/x` */
function readRule(reader: Reader, where: string, text: string): Rule {
  const hosts: string[] = []
  const paths: string[] = []
  const stripped: string[] = []
  for (const part of text.split(';').filter((one) => one.trim() !== '')) {
    const [, kind = '', list = ''] = /^\s*(\w+):(.*)$/.exec(part) ?? []
    if (/^host$/i.test(kind)) hosts.push(...reader.all(where, listOf(list), readHost))
    else if (/^path(prefix)?(strip)?$/i.test(kind)) {
      const found = reader.all(where, listOf(list), readPath)
      paths.push(...found)
      if (/strip$/i.test(kind)) stripped.push(...found)
    } else
      reader.problems.push(
        `${where}: "${part.trim().slice(0, 60)}" is not understood; Host and PathPrefix are`,
      )
  }
  return { hosts: hosts.length === 0 ? ['*'] : hosts, paths: paths.length === 0 ? ['/'] : paths, stripped }
}
