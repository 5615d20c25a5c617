import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, IngressMatch, ServiceFacts, TlsSource } from '../declaration.ts'
import { listOf, matchesOf, Reader, readFlag, readHost, readPath, readPort, readProtocol } from '../values.ts'
import { middlewaresOf } from './traefik-middlewares.ts'

const prefix = 'traefik.http.'

/**
 * Traefik's labels, as far as a host and the beginning of a path go: `traefik.http.routers.<r>.rule`, `.service`,
 * `.tls`, `.tls.certresolver`, and `traefik.http.services.<s>.loadbalancer.server.port`, `.server.scheme`,
 * `.sticky.cookie`, `.healthcheck.path`. Middlewares are in a file of their own; routers of TCP and UDP, and other matchers, are not for us.
 * @see https://doc.traefik.io/traefik/routing/providers/docker/
 */
export function traefik({ labels, defaultPort }: ServiceFacts): Declared | undefined {
  const all = new Map(Object.entries(labels).map(([label, text]) => [label.toLowerCase(), text]))
  const named = (kind: 'routers' | 'services') => {
    const names = new Set<string>()
    for (const label of all.keys())
      if (label.startsWith(`${prefix}${kind}.`)) names.add(label.slice(prefix.length).split('.')[1] ?? '')
    return [...names]
  }
  const routers = named('routers').filter((name) => all.has(`${prefix}routers.${name}.rule`))
  if (routers.length === 0 || isOff(all.get('traefik.enable'))) return undefined
  const services = named('services')
  const reader = new Reader()
  const found: Found[] = []
  for (const router of routers) {
    const before = reader.problems.length
    const of = (name: string) => all.get(`${prefix}routers.${router}.${name}`)
    const service =
      of('service') ?? (services.length === 1 ? services[0] : services.find((one) => one === router))
    const balancer = (name: string) => all.get(`${prefix}services.${service ?? ''}.loadbalancer.${name}`)
    const where = (name: string) => `label ${prefix}services.${service ?? ''}.loadbalancer.${name}`
    const read = <T>(name: string, reads: (text: string) => Parameters<typeof reader.take<T>>[1]) => {
      const text = balancer(name)
      return text === undefined ? undefined : reader.take(where(name), reads(text))
    }
    const middlewares = middlewaresOf(
      reader,
      all,
      `label ${prefix}routers.${router}.middlewares`,
      listOf(of('middlewares') ?? ''),
    )
    const { isRedirect, ...made } = middlewares
    const entryPoints = listOf(of('entrypoints') ?? '')
    if (entryPoints.length > 0 && !entryPoints.some((name) => publicEntryPoint.test(name)))
      reader.problems.push(
        `label ${prefix}routers.${router}.entrypoints: web and websecure are known, and what is for others is left out`,
      )
    // Options of TLS are mostly there to ask clients for a certificate.
    if (of('tls.options') !== undefined)
      reader.problems.push(
        `label ${prefix}routers.${router}.tls.options is not understood, so the route is left out`,
      )
    const tls = tlsOf(of('tls'), of('tls.certresolver'), entryPoints)
    const declaration = defined({
      ...made,
      matches: readRule(reader, `label ${prefix}routers.${router}.rule`, of('rule') ?? ''),
      port: read('server.port', readPort) ?? defaultPort,
      tls,
      isSticky: read('sticky.cookie', readFlag) ?? balancer('sticky.cookie.name') !== undefined,
      healthCheckPath: read('healthcheck.path', readPath),
      protocol: read('server.scheme', readProtocol) ?? ('http' as const),
    })
    if (reader.problems.length === before) found.push({ declaration, isRedirect })
  }
  return { declarations: withoutTwins(found), problems: reader.problems }
}

interface Found {
  readonly declaration: IngressDeclaration
  readonly isRedirect: boolean
}

/**
 * Often one router is for requests without TLS, to send them away, and another for the same host with it. Here they
 * are one route, which does with either what the two say.
 */
function withoutTwins(found: readonly Found[]): IngressDeclaration[] {
  const key = ({ host, path }: IngressMatch) => `${host}${path}`
  const plain = new Map<string, Found>()
  const secure = new Set<string>()
  for (const one of found)
    for (const match of one.declaration.matches)
      if (one.declaration.tls === undefined) plain.set(key(match), one)
      else secure.add(key(match))
  return found.flatMap(({ declaration }) => {
    if (declaration.tls === undefined) {
      const matches = declaration.matches.filter((match) => !secure.has(key(match)))
      return matches.length === 0 ? [] : [{ ...declaration, matches }]
    }
    const [twin] = declaration.matches.flatMap((match) => plain.get(key(match)) ?? [])
    return [twin === undefined || twin.isRedirect ? declaration : { ...declaration, withoutTls: 'serve' }]
  })
}

const isOff = (text: string | undefined): boolean =>
  text !== undefined && /^(0|f|false|no|off)$/i.test(text.trim())

function tlsOf(
  tls: string | undefined,
  resolver: string | undefined,
  entryPoints: readonly string[],
): TlsSource | undefined {
  if (resolver !== undefined) return { from: 'acme' }
  // An entry point may speak TLS for all of its routers.
  if (tls === undefined && entryPoints.some((name) => /^(websecure|https)$/i.test(name)))
    return { from: 'auto' }
  return tls === undefined || isOff(tls) ? undefined : { from: 'folder' }
}

/** What most people name those that the ingress stands for; another may be for few. */
const publicEntryPoint = /^(web|http|websecure|https)$/i

const matcher = /^(Host|PathPrefix|Path)\(\s*((?:[`"'][^`"']*[`"']\s*,?\s*)+)\)$/

/** `Host(`a`) && PathPrefix(`/x`)`, several of them by `||`; each group may be in parentheses. */
function readRule(reader: Reader, where: string, rule: string): IngressMatch[] {
  return rule.split('||').flatMap((alternative) => {
    const hosts: string[] = []
    const paths: string[] = []
    for (const part of unwrapped(alternative).split('&&')) {
      const [, kind, list = ''] = matcher.exec(unwrapped(part)) ?? []
      if (kind === undefined) {
        reader.problems.push(
          `${where}: "${part.trim().slice(0, 60)}" is not understood; Host(…) and PathPrefix(…) are`,
        )
        continue
      }
      const texts = [...list.matchAll(/[`"']([^`"']*)[`"']/g)].map(([, text = '']) => text)
      if (kind === 'Host') hosts.push(...reader.all(where, texts, readHost))
      else paths.push(...reader.all(where, texts, readPath))
    }
    return matchesOf(hosts.length === 0 ? ['*'] : hosts, paths.length === 0 ? ['/'] : paths)
  })
}

/** Without parentheses around the whole. */
function unwrapped(text: string): string {
  const trimmed = text.trim()
  return /^\(.*\)$/.test(trimmed) ? trimmed.slice(1, -1).trim() : trimmed
}
