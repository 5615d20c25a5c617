import type { IngressConfiguration, RouteInForce } from '#model/ingress/configuration.ts'
import { renderBackend } from './backend.ts'
import type { Slots } from './slots.ts'

/** Where things are on this host. */
export interface HostPlaces {
  /** The folder of the maps and certificates. */
  readonly folder: string
  readonly runtimeSocket: string
  /** The host's address of the data path: HAProxy's own when it asks tasks. */
  readonly sourceAddress: string
  /** `fd@3`, or undefined for no access log. */
  readonly accessLog: string | undefined
  /** Whether there is a certificate to listen with. */
  readonly hasCertificates: boolean
  readonly hasIpv6: boolean
  /** Of the user that HAProxy becomes; undefined: it stays who it is. */
  readonly user: string | undefined
}

export const routesMap = 'routes.map'
export const challengesMap = 'challenges.map'
export const certificateList = 'certificates.list'

/** Methods that may be tried again on another task when one has died in the middle: their repetition changes nothing. */
const idempotent = 'GET HEAD OPTIONS TRACE PUT DELETE'

/**
 * HAProxy's whole configuration file. Every text of a user in it has passed `model/ingress/values.ts`; names of
 * services only where they consist of letters, digits, `_`, `.` and `-`.
 * @see https://docs.haproxy.org/2.6/configuration.html
 */
export function renderConfiguration(
  configuration: IngressConfiguration,
  slotsOf: (route: RouteInForce) => Slots,
  places: HostPlaces,
): string {
  return [
    ...globalSection(places),
    ...defaultsSection(configuration, places),
    ...frontends(configuration, places),
    ...configuration.routes.flatMap((route) => renderBackend(route, slotsOf(route), configuration, places)),
    ...nowhere,
    '',
  ].join('\n')
}

function globalSection({ runtimeSocket, accessLog, user }: HostPlaces): string[] {
  return [
    '# Written by mured; changes are lost.',
    'global',
    `  stats socket ${runtimeSocket} mode 600 level admin expose-fd listeners`,
    ...(accessLog === undefined ? [] : [`  log ${accessLog} format raw local0`]),
    ...(user === undefined ? [] : [`  user ${user}`]),
    // A reload leaves the old process to finish its requests; one that never ends is ended.
    '  hard-stop-after 10m',
    '  ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    '  tune.ssl.default-dh-param 2048',
  ]
}

function defaultsSection({ accessLog }: IngressConfiguration, { sourceAddress }: HostPlaces): string[] {
  return [
    'defaults',
    '  mode http',
    ...(accessLog ? ['  log global', '  option httplog'] : []),
    ...(sourceAddress === '' ? [] : [`  source ${sourceAddress}`]),
    '  balance leastconn',
    '  timeout connect 2s',
    '  timeout client 60s',
    '  timeout server 60s',
    '  timeout http-request 10s',
    '  timeout http-keep-alive 15s',
    '  timeout queue 10s',
    // WebSockets and other upgraded connections.
    '  timeout tunnel 1h',
    '  retries 3',
    '  option redispatch 1',
    '  retry-on conn-failure empty-response 0rtt-rejected',
    '  option splice-auto',
    // A host without power answers nothing: its connections end after these, and not after the server's timeout.
    '  option srvtcpka',
    '  srvtcpka-idle 1s',
    '  srvtcpka-intvl 1s',
    '  srvtcpka-cnt 3',
    '  default-server check inter 2s fastinter 500ms downinter 1s fall 2 rise 1',
  ]
}

function frontends(configuration: IngressConfiguration, places: HostPlaces): string[] {
  const { httpPort, httpsPort, statisticsPort, login, routes, challenges, proxiesFrom = [] } = configuration
  const map = (name: string) => `${places.folder}/${name}`
  return [
    'frontend http',
    ...binds(httpPort, places, ''),
    ...(places.hasCertificates
      ? binds(httpsPort, places, ` ssl crt-list ${map(certificateList)} alpn h2,http/1.1`)
      : []),
    // These say who the client is before the first byte of a request.
    ...(proxiesFrom.length === 0
      ? []
      : [`  tcp-request connection expect-proxy layer4 if { src ${proxiesFrom.join(' ')} }`]),
    ...(challenges.length === 0
      ? []
      : [
          `  http-request return status 200 content-type text/plain lf-string %[path,map(${map(challengesMap)})] if { path,map(${map(challengesMap)}) -m found }`,
        ]),
    ...(routes.some(({ matches }) => matches.some(({ path }) => path !== '/'))
      ? plainPaths(map(routesMap))
      : [
          // Nearly always right at once; a host in capitals or with a port, a wildcard and the default come after. As
          // every request passes here, there is no rule that another could do without.
          `  http-request set-var(txn.route) base,map_beg(${map(routesMap)})`,
          '  http-request set-var(txn.path) path unless { var(txn.route) -m found }',
        ]),
    ...['req.hdr(host),host_only,lower', 'req.hdr(host),host_only,lower,regsub(^[^.]*,*)', 'str(*)'].map(
      (host) =>
        `  http-request set-var(txn.route) ${host},concat(,txn.path),map_beg(${map(routesMap)}) unless { var(txn.route) -m found }`,
    ),
    // What a client says of itself is not believed.
    '  http-request set-header X-Forwarded-For %[src]',
    '  http-request set-header X-Real-IP %[src]',
    '  http-request set-header X-Forwarded-Host %[req.hdr(host)]',
    '  http-request set-header X-Forwarded-Proto %[ssl_fc,iif(https,http)]',
    `  http-request disable-l7-retry unless { method ${idempotent} }`,
    ...(routes.length === 0 ? [] : ['  use_backend %[var(txn.route)]']),
    '  default_backend nowhere',
    'userlist statistics',
    `  user ${login.user} insecure-password ${login.password}`,
    'frontend statistics',
    ...binds(statisticsPort, places, ''),
    '  option dontlog-normal',
    '  http-request auth realm statistics unless { http_auth(statistics) }',
    '  http-request use-service prometheus-exporter if { path /metrics }',
    '  stats enable',
    '  stats uri /',
    '  stats refresh 5s',
    '  stats hide-version',
    '  stats show-legends',
  ]
}

/**
 * Where paths of a host lead to different routes, a path that is written otherwise must not lead past the route that
 * is meant: by a part of it in the host's name, by slashes more than one, by escapes, by dots.
 */
const plainPaths = (routesMap: string): string[] => [
  '  http-request deny deny_status 400 if { req.hdr(host) -m sub / }',
  "  http-request set-var(txn.path) 'path,url_dec,regsub(/+,/,g)'",
  "  http-request deny deny_status 400 if { var(txn.path) -m reg '/[.][.]?(/|$)' }",
  `  http-request set-var(txn.route) req.hdr(host),concat(,txn.path),map_beg(${routesMap})`,
]

const nowhere = [
  'backend nowhere',
  '  http-request return status 404 content-type text/plain string "No service is published for this host and path.\\n"',
]

/** Apart, so that a client's IPv4 address is written as one. */
const binds = (port: number, { hasIpv6 }: HostPlaces, options: string): string[] => [
  `  bind *:${String(port)}${options}`,
  ...(hasIpv6 ? [`  bind :::${String(port)} v6only${options}`] : []),
]
