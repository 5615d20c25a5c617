import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, IngressMatch, ServiceFacts, TlsSource } from '../declaration.ts'
import { matchesOf, Reader, readFlag, readHost, readPath, readPort, readProtocol } from '../values.ts'

const prefix = 'traefik.http.'

/**
 * Traefik's labels, as far as a host and the beginning of a path go: `traefik.http.routers.<r>.rule`, `.service`,
 * `.tls`, `.tls.certresolver`, and `traefik.http.services.<s>.loadbalancer.server.port`, `.server.scheme`,
 * `.sticky.cookie`, `.healthcheck.path`. Routers of TCP and UDP, middlewares and other matchers are not for us.
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
  const declarations: IngressDeclaration[] = []
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
    const declaration = defined({
      matches: readRule(reader, `label ${prefix}routers.${router}.rule`, of('rule') ?? ''),
      port: read('server.port', readPort) ?? defaultPort,
      tls: tlsOf(of('tls'), of('tls.certresolver')),
      isSticky: read('sticky.cookie', readFlag) ?? balancer('sticky.cookie.name') !== undefined,
      healthCheckPath: read('healthcheck.path', readPath),
      protocol: read('server.scheme', readProtocol) ?? ('http' as const),
    })
    if (reader.problems.length === before) declarations.push(declaration)
  }
  return { declarations, problems: reader.problems }
}

const isOff = (text: string | undefined): boolean =>
  text !== undefined && /^(0|f|false|no|off)$/i.test(text.trim())

function tlsOf(tls: string | undefined, resolver: string | undefined): TlsSource | undefined {
  if (resolver !== undefined) return { from: 'acme' }
  return tls === undefined || isOff(tls) ? undefined : { from: 'folder' }
}

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
