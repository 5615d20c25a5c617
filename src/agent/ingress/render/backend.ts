import type { IngressConfiguration, RouteInForce } from '#model/ingress/configuration.ts'
import type { HeaderToSet, PathRewrite } from '#model/ingress/declaration.ts'
import type { HostPlaces } from './configuration.ts'
import { serverName } from './runtime-commands.ts'
import type { Slots } from './slots.ts'

type Settings = Pick<IngressConfiguration, 'cookieKey' | 'httpsPort'>

/** HAProxy's section of one route: who is let in, what tasks are told, and the tasks. */
export function renderBackend(
  route: RouteInForce,
  slots: Slots,
  settings: Settings,
  places: Pick<HostPlaces, 'hasCertificates'>,
): string[] {
  const { users = [], allowedFrom = [], requestHeaders = [], responseHeaders = [], rewrite } = route
  const header = (kind: string) => (one: HeaderToSet) =>
    `  http-${kind} set-header ${one.name} '${one.value.replaceAll('%', '%%')}'`
  return [
    ...(users.length === 0 ? [] : [`userlist ${route.id}`]),
    ...users.map(
      ({ name, password, isHashed }) =>
        `  user ${name} ${isHashed ? 'password' : 'insecure-password'} ${password}`,
    ),
    `backend ${route.id}`,
    // A list without an entry lets nobody in.
    ...(route.users?.length === 0 || route.allowedFrom?.length === 0
      ? ['  http-request deny deny_status 403']
      : []),
    ...(allowedFrom.length === 0
      ? []
      : [`  http-request deny deny_status 403 unless { src ${allowedFrom.join(' ')} }`]),
    ...withoutTls(route, settings, places),
    ...rateLimit(route),
    ...(users.length === 0
      ? []
      : [`  http-request auth realm ${route.id} unless { http_auth(${route.id}) }`]),
    ...requestHeaders.map(header('request')),
    ...responseHeaders.map(header('response')),
    ...(rewrite === undefined ? [] : [rewritten(rewrite)]),
    ...(route.isSticky
      ? [
          '  cookie MURE_TASK insert indirect nocache httponly dynamic',
          `  dynamic-cookie-key ${settings.cookieKey}`,
        ]
      : []),
    ...healthCheck(route),
    ...servers(route, slots),
  ]
}

function withoutTls(
  { isSecure, withoutTls: wish = 'redirect' }: RouteInForce,
  { httpsPort }: Settings,
  { hasCertificates }: Pick<HostPlaces, 'hasCertificates'>,
): string[] {
  if (wish === 'refuse') return ['  http-request deny deny_status 403 unless { ssl_fc }']
  // A node whose folder has nothing to listen with yet leads nobody to a closed port.
  if (!isSecure || !hasCertificates || wish === 'serve') return []
  return [
    httpsPort === 443
      ? '  http-request redirect scheme https code 308 unless { ssl_fc }'
      : `  http-request redirect location https://%[req.hdr(host),host_only]:${String(httpsPort)}%[capture.req.uri] code 308 unless { ssl_fc }`,
  ]
}

function rateLimit({ rateLimit: limit }: RouteInForce): string[] {
  if (limit === undefined) return []
  const { requests, perSeconds } = limit
  return [
    `  stick-table type ipv6 size 100k expire ${String(perSeconds * 2)}s store http_req_rate(${String(perSeconds)}s)`,
    '  http-request track-sc0 src',
    `  http-request deny deny_status 429 if { sc_http_req_rate(0) gt ${String(requests)} }`,
  ]
}

/** One rule for all of them: after the first that fits, another would fit what is left. */
function rewritten({ prefixes, by }: PathRewrite): string {
  const trimmed = (path: string) => path.replace(/\/+$/, '')
  // The longest first, as alternatives are tried in their order.
  const alternatives = [...new Set(prefixes.map(trimmed))].sort((a, b) => b.length - a.length).map(literal)
  return `  http-request replace-path '^(${alternatives.join('|')})/*(.*)$' '${trimmed(by).replaceAll('%', '%%')}/\\2'`
}

/** A class of one letter is that letter, whatever it is; a backslash would be read by HAProxy too. */
const literal = (text: string): string => text.replaceAll(/[^A-Za-z0-9/_~-]/g, '[$&]')

function healthCheck({ healthCheckPath, matches }: RouteInForce): string[] {
  if (healthCheckPath === undefined) return []
  const host = matches[0]?.host ?? '*'
  return [
    '  option httpchk',
    `  http-check send meth GET uri ${healthCheckPath} ver HTTP/1.1 hdr Host ${host.startsWith('*') ? 'localhost' : host}`,
    '  http-check expect status 200-399',
  ]
}

const speaks = {
  http: '',
  h2c: ' proto h2',
  // Tasks have certificates of their own making, as nobody else can vouch for their addresses.
  https: ' ssl verify none sni req.hdr(host),host_only',
} as const

function servers({ protocol, port }: RouteInForce, slots: Slots): string[] {
  return slots.map((address, slot) => {
    const place = `${address === '' ? '0.0.0.0' : address}:${String(port)}`
    return `  server ${serverName(slot)} ${place}${speaks[protocol]}${address === '' ? ' disabled' : ''}`
  })
}
