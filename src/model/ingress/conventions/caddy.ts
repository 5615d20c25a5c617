import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, ServiceFacts, TlsSource } from '../declaration.ts'
import { matchesOf, Reader, readHost, readPath, readPort } from '../values.ts'

/**
 * The labels of caddy-docker-proxy: `caddy=app.example.com`, `caddy.reverse_proxy={{upstreams 8080}}`; further sites
 * are `caddy_0`, `caddy_1` … As with Caddy, a site has a certificate unless it is written `http://…`.
 * @see https://github.com/lucaslorentz/caddy-docker-proxy
 */
export function caddy({ labels, defaultPort }: ServiceFacts): Declared | undefined {
  const sites = Object.keys(labels).filter((label) => /^caddy(?:_\d+)?$/.test(label))
  if (sites.length === 0) return undefined
  const reader = new Reader()
  const declarations: IngressDeclaration[] = []
  for (const site of sites) {
    const before = reader.problems.length
    const names = (labels[site] ?? '').split(/[\s,]+/).filter((name) => name !== '')
    const [proxyLabel, proxy] =
      Object.entries(labels).find(([label]) =>
        new RegExp(`^${site}\\.(?:\\d+_)?reverse_proxy$`).test(label),
      ) ?? []
    const upstream = proxy === undefined ? undefined : upstreamOf(reader, proxyLabel ?? site, proxy)
    const matches = names.flatMap((name) => {
      const rest = name.replace(/^https?:\/\//, '')
      const slash = rest.indexOf('/')
      const host = (slash < 0 ? rest : rest.slice(0, slash)).replace(/:\d+$/, '')
      const path = slash < 0 ? (upstream?.path ?? '/') : rest.slice(slash)
      return matchesOf(
        reader.all(`label ${site}`, [host], readHost),
        reader.all(`label ${site}`, [path.replace(/\*$/, '')], readPath),
      )
    })
    const isPlain = names.every((name) => name.startsWith('http://') || name.startsWith(':'))
    const declaration = defined({
      matches,
      port: upstream?.port ?? defaultPort,
      tls: isPlain ? undefined : ({ from: 'auto' } satisfies TlsSource),
      isSticky: false,
      protocol: upstream?.isH2c === true ? ('h2c' as const) : ('http' as const),
    })
    if (reader.problems.length === before) declarations.push(declaration)
  }
  return { declarations, problems: reader.problems }
}

/** `/api/* {{upstreams h2c 8080}}`: the matcher, the scheme and the port may be missing. */
function upstreamOf(
  reader: Reader,
  label: string,
  text: string,
): { path: string; port: number | undefined; isH2c: boolean } {
  const [, path = '', scheme = '', port = ''] =
    /^(\/\S*\s+)?\{\{\s*upstreams(?:\s+(http|https|h2c))?(?:\s+(\d+))?\s*\}\}$/.exec(text.trim()) ?? []
  if (!text.includes('upstreams') || scheme === 'https')
    reader.problems.push(`label ${label}: only {{upstreams PORT}} is understood, over http or h2c`)
  return {
    path: path.trim() === '' ? '/' : path.trim(),
    port: port === '' ? undefined : reader.take(`label ${label}`, readPort(port)),
    isH2c: scheme === 'h2c',
  }
}
