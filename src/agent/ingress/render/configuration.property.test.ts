import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { routesOf } from '#model/ingress/routes.ts'
import { aService } from '#model/testing/builders.ts'
import { renderConfiguration } from './configuration.ts'
import { renderRoutesMap } from './maps.ts'
import { filledSlots } from './slots.ts'

const hostile = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'a.org',
    '/x',
    '8080',
    'true',
    '100/s',
    'acme',
    'a.org\n  server evil 1.2.3.4',
    'a.org #',
    '%[env(HOME)]',
    "' x",
    '/a|b)(.*',
    'u:$2y$05$abc',
    'u:$(id)',
    '10.0.0.0/8',
    '/api/*',
    '"',
    '\\',
  ),
)
const labelNames = [
  ...['host', 'path', 'port', 'tls', 'sticky', 'healthcheck', 'rate-limit', 'protocol'].map(
    (name) => `mure.ingress.${name}`,
  ),
  ...['rewrite', 'allow', 'without-tls'].map((name) => `mure.ingress.${name}`),
  'traefik.http.routers.r.middlewares',
  ...[
    ...['stripprefix.prefixes', 'addprefix.prefix', 'basicauth.users', 'ipallowlist.sourcerange'],
    ...['headers.customrequestheaders.x', 'ratelimit.average', 'redirectscheme.scheme'],
  ].map((name) => `traefik.http.middlewares.a.org.${name}`),
  'traefik.http.services.r.loadbalancer.server.scheme',
  'traefik.http.routers.r.rule',
  'traefik.http.services.r.loadbalancer.server.port',
  'traefik.http.services.r.loadbalancer.healthcheck.path',
  ...['frontend.rule', 'port', 'frontend.auth.basic', 'frontend.whitelist.sourcerange'].map(
    (name) => `traefik.${name}`,
  ),
  'com.df.notify',
  'com.df.serviceDomain',
  'com.df.servicePath',
  'com.df.reqPathSearch',
  'com.df.reqPathReplace',
  'com.df.users',
  'caddy',
  'caddy.handle_path',
  'caddy.reverse_proxy',
]
const environmentNames = [
  ...['VIRTUAL_HOST', 'VIRTUAL_PORT', 'VIRTUAL_PATH', 'VIRTUAL_DEST', 'VIRTUAL_PROTO', 'HTTPS_METHOD'],
  ...['SERVICE_PORTS', 'LETSENCRYPT_HOST'],
]

const services = fc.array(
  fc.record({
    name: hostile,
    labels: fc.dictionary(fc.constantFrom(...labelNames), hostile),
    env: fc.array(fc.tuple(fc.constantFrom(...environmentNames), hostile).map((pair) => pair.join('='))),
  }),
  { maxLength: 4 },
)

/** Every line that can be there: its first words, and the shape of what a user may have had a say in. */
const lineShapes = [
  /^$/,
  /^# Written by mured; changes are lost\.$/,
  /^(global|defaults)$/,
  /^(frontend (http|statistics)|userlist statistics)$/,
  /^backend [A-Za-z0-9_.-]+:\d+(:\d+)?$/,
  /^ {2}server s\d+ [\d.]+:\d+( proto h2| ssl verify none sni req\.hdr\(host\),host_only)?( disabled)?$/,
  /^userlist [A-Za-z0-9_.-]+:\d+(:\d+)?$/,
  /^ {2}user [A-Za-z0-9._@-]+ (insecure-)?password [A-Za-z0-9._@!*+=,/$-]+$/,
  /^ {2}http-request auth realm ([A-Za-z0-9_.-]+:[\d:]+) unless \{ http_auth\(\1\) \}$/,
  /^ {2}http-request deny deny_status 403 unless \{ (src [\d.:a-fA-F/ ]+|ssl_fc) \}$/,
  /^ {2}http-(request|response) set-header [A-Za-z0-9-]+ '([^'\\%]|%%)*'$/,
  /^ {2}http-request replace-path '\^\([^\s'"\\]*\)\/\*\(\.\*\)\$' '([^\s'"\\%]|%%)*\/\\2'$/,
  /^ {2}http-request deny deny_status 400 if \{ (req\.hdr\(host\) -m sub \/|var\(txn\.path\) -m reg '\/\[\.\]\[\.\]\?\(\/\|\$\)') \}$/,
  /^ {2}http-request set-var\(txn\.path\) 'path,url_dec,regsub\(\/\+,\/,g\)'$/,
  /^ {2}http-request set-var\(txn\.route\) req\.hdr\(host\),concat\(,txn\.path\),map_beg\(\S+\)$/,
  /^ {2}http-request deny deny_status 403$/,
  /^ {2}stick-table type ipv6 size 100k expire \d+s store http_req_rate\(\d+s\)$/,
  /^ {2}http-request deny deny_status 429 if \{ sc_http_req_rate\(0\) gt \d+ \}$/,
  /^ {2}http-check send meth GET uri \/[^\s"'#\\]* ver HTTP\/1\.1 hdr Host [a-z0-9_.-]+$/,
  /^ {2}(http-check expect status 200-399|option httpchk|http-request track-sc0 src)$/,
  /^ {2}(cookie MURE_TASK insert indirect nocache httponly dynamic|dynamic-cookie-key key)$/,
  /^ {2}http-request redirect scheme https code 308 unless \{ ssl_fc \}$/,
]

test('no name, label or variable of a service gets anything into the configuration but what it is for', () => {
  const empty = new Set(render([]).split('\n'))
  fc.assert(
    fc.property(services, (specs) => {
      const list = specs.map(({ name, labels, env }) =>
        aService({ name, labels, template: { containers: [{ name: '', image: 'x', env }] } }),
      )
      for (const line of render(list).split('\n'))
        assert.ok(
          empty.has(line) ||
            line === '  use_backend %[var(txn.route)]' ||
            lineShapes.some((shape) => shape.test(line)),
          line,
        )
      for (const line of renderRoutesMap(routesOf(list).routes).split('\n'))
        assert.match(line, /^$|^[a-z0-9_.*-]+\/[^\s"'#\\]* [A-Za-z0-9_.-]+:\d+(:\d+)?$/)
    }),
    { numRuns: 500 },
  )
})

function render(list: Parameters<typeof routesOf>[0]): string {
  const configuration = {
    httpPort: 80,
    httpsPort: 443,
    statisticsPort: 1936,
    login: { user: 'admin', password: 'password' },
    cookieKey: 'key',
    accessLog: true,
    routes: routesOf(list).routes.map((route) => ({ ...route, isSecure: route.tls !== undefined })),
    certificates: [],
    challenges: [],
  }
  return renderConfiguration(configuration, () => filledSlots(['10.0.0.2'], 2), {
    folder: '/run/ingress',
    runtimeSocket: '/run/ingress/runtime.sock',
    sourceAddress: '192.168.1.2',
    accessLog: 'fd@3',
    hasCertificates: true,
    user: 'haproxy',
    hasIpv6: true,
  })
}
