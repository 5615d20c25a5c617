import { defined } from '#lib/defined.ts'
import type { Declared, IngressDeclaration, ServiceFacts, TaskProtocol, TlsSource } from '../declaration.ts'
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
    const directives = directivesOf(labels, site)
    const stripped =
      directives.stripped === undefined
        ? undefined
        : reader.take(`label ${site}.handle_path`, readPath(directives.stripped.replace(/\*$/, '')))
    const upstream =
      directives.proxy === undefined
        ? undefined
        : upstreamOf(reader, directives.proxy.label, directives.proxy.text)
    for (const label of directives.unknown)
      reader.problems.push(`label ${label} is not understood, so the route is left out`)
    for (const name of names)
      if (!/^(80|443|)$/.test(/:(\d+)(?:\/|$)/.exec(name)?.[1] ?? ''))
        reader.problems.push(`label ${site}: ${name} is for a port that the ingress does not have`)
    const matches = names.flatMap((name) => {
      const rest = name.replace(/^https?:\/\//, '')
      const slash = rest.indexOf('/')
      const host = (slash < 0 ? rest : rest.slice(0, slash)).replace(/:\d+$/, '')
      const path = slash < 0 ? (stripped ?? directives.matcher ?? upstream?.path ?? '/') : rest.slice(slash)
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
      protocol: upstream?.protocol ?? ('http' as const),
      rewrite: stripped === undefined ? undefined : { prefixes: [stripped], by: '/' },
    })
    if (reader.problems.length === before) declarations.push(declaration)
  }
  return { declarations, problems: reader.problems }
}

interface Directives {
  readonly proxy: { readonly label: string; readonly text: string } | undefined
  /** A path that is led here, and that tasks do not see (`handle_path`). */
  readonly stripped: string | undefined
  /** The same, and they see it (`handle`). */
  readonly matcher: string | undefined
  /** What could keep people out, or lead them elsewhere. */
  readonly unknown: readonly string[]
}

/** They say how, not who and where: a route does without them what it should. Who has a certificate is a who. */
const dispensable =
  /^(?!tls\.client_auth)(encode|log|tls|header|request_header|handle_errors|reverse_proxy)(\.|$)/

function directivesOf(labels: Readonly<Record<string, string>>, site: string): Directives {
  let proxy: Directives['proxy']
  let stripped: string | undefined
  let matcher: string | undefined
  const unknown: string[] = []
  for (const [label, text] of Object.entries(labels)) {
    if (!label.startsWith(`${site}.`)) continue
    // Numbers before a directive only put them in order.
    const path = label.slice(site.length + 1).replaceAll(/(^|\.)\d+_/g, '$1')
    if (/^((handle|handle_path|route)\.)?reverse_proxy$/.test(path)) proxy = { label, text }
    else if (path === 'handle_path') stripped = text.trim()
    else if (path === 'handle' || path === 'route') matcher = text.trim() === '' ? undefined : text.trim()
    else if (!dispensable.test(path.replace(/^(handle|handle_path|route)\./, ''))) unknown.push(label)
  }
  return { proxy, stripped, matcher, unknown }
}

/** `/api/* {{upstreams h2c 8080}}`: the matcher, the scheme and the port may be missing. */
function upstreamOf(
  reader: Reader,
  label: string,
  text: string,
): { path: string; port: number | undefined; protocol: TaskProtocol } {
  const found = /^(\/\S*\s+)?\{\{\s*upstreams(?:\s+(http|https|h2c))?(?:\s+(\d+))?\s*\}\}$/.exec(text.trim())
  const [, path = '', scheme = '', port = ''] = found ?? []
  if (found === null)
    reader.problems.push(`label ${label}: only {{upstreams PORT}} is understood, over http, https or h2c`)
  return {
    path: path.trim() === '' ? '/' : path.trim(),
    port: port === '' ? undefined : reader.take(`label ${label}`, readPort(port)),
    protocol: scheme === 'h2c' || scheme === 'https' ? scheme : 'http',
  }
}
