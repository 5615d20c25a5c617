import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import type { Service, ServiceSpec } from '../service.ts'
import { aService, testEpoch } from '../testing/builders.ts'
import { describeMatch, routesOf } from './routes.ts'
import type { IngressRoute } from './routes.ts'

const withEnvironment = (...env: string[]) => ({ containers: [{ name: '', image: 'busybox', env }] })

/** `host/path → port`, one for each match. */
function led(spec: Partial<Omit<ServiceSpec, 'mode'>>): string[] {
  return routesOf([aService(spec)]).routes.flatMap(({ matches, port }) =>
    matches.map((match) => `${describeMatch(match)} → ${String(port)}`),
  )
}

test('a service is led to by labels of our own, several routes by names', () => {
  assert.deepEqual(
    led({
      labels: {
        'mure.ingress.host': 'App.example.com, *.b.org',
        'mure.ingress.path': '/api',
        'mure.ingress.port': '8080',
      },
    }),
    ['app.example.com/api → 8080', '*.b.org/api → 8080'],
  )
  assert.deepEqual(
    led({
      labels: {
        'mure.ingress.host': 'a.org',
        'mure.ingress.admin.host': 'b.org',
        'mure.ingress.admin.port': '9000',
      },
    }),
    ['a.org → 80', 'b.org → 9000'],
  )
  const endpoint = { ports: [{ protocol: 'tcp', targetPort: 3000, publishMode: 'ingress' }] } as const
  assert.deepEqual(led({ labels: { 'mure.ingress.host': 'a.org' }, endpoint }), ['a.org → 3000'])
})

test('a service is led to by the conventions of the tools that people come from', () => {
  assert.deepEqual(led({ template: withEnvironment('VIRTUAL_HOST=a.org,b.org', 'VIRTUAL_PORT=3000') }), [
    'a.org → 3000',
    'b.org → 3000',
  ])
  assert.deepEqual(
    led({ template: withEnvironment('VIRTUAL_HOST=http://a.org/api/*', 'SERVICE_PORTS=8080') }),
    ['a.org/api/ → 8080'],
  )
  assert.deepEqual(led({ template: withEnvironment('SERVICE_PORTS=80') }), ['any host → 80'])
  assert.deepEqual(
    led({
      labels: {
        'com.df.notify': 'true',
        'com.df.serviceDomain': 'a.org',
        'com.df.servicePath.1': '/x',
        'com.df.port.1': '81',
        'com.df.port': '80',
      },
    }),
    ['a.org → 80', 'any host/x → 81'],
  )
  assert.deepEqual(
    led({
      labels: {
        'traefik.http.routers.web.rule': "Host(`a.org`, `b.org`) && PathPrefix(`/x`) || (Host('c.org'))",
        'traefik.http.services.web.loadbalancer.server.port': '8080',
      },
    }),
    ['a.org/x → 8080', 'b.org/x → 8080', 'c.org → 8080'],
  )
  assert.deepEqual(led({ labels: { caddy: 'a.org', 'caddy.reverse_proxy': '{{upstreams 8080}}' } }), [
    'a.org → 8080',
  ])
})

test('what cannot be understood is told with the name of the label, and leads nowhere', () => {
  const labels = { 'mure.ingress.host': 'a b', 'mure.ingress.port': '99999', 'mure.ingress.hots': 'a.org' }
  const { routes, problems } = routesOf([aService({ labels })])
  assert.deepEqual(routes, [])
  assert.equal(problems.length, 3)
  for (const name of ['mure.ingress.host:', 'mure.ingress.port:', 'mure.ingress.hots'])
    assert.ok(
      problems.some(({ message }) => message.includes(name)),
      name,
    )
})

test('the older of two services keeps the host that both claim, and the other is told', () => {
  const of = (name: string, age: number): Service => {
    const service = aService({ name, labels: { 'mure.ingress.host': 'a.org' } })
    return { ...service, meta: { ...service.meta, createdAt: instant(testEpoch + age) } }
  }
  const { routes, problems } = routesOf([of('second', 2), of('first', 1)])
  assert.deepEqual(
    routes.map(({ serviceName }) => serviceName),
    ['first'],
  )
  assert.deepEqual(
    problems.map(({ serviceName, message }) => `${serviceName}: ${message}`),
    ['second: a.org is already served by service first'],
  )
})

/** The declarations of one service, without what the test does not ask about. */
function declared(spec: Partial<Omit<ServiceSpec, 'mode'>>, ...fields: (keyof IngressRoute)[]) {
  const { routes, problems } = routesOf([aService(spec)])
  return [
    ...routes.map((route) => Object.fromEntries(fields.map((field) => [field, route[field]]))),
    ...problems.map(({ message }) => message),
  ]
}

const said = (spec: Partial<Omit<ServiceSpec, 'mode'>>): string =>
  routesOf([aService(spec)])
    .problems.map(({ message }) => message)
    .join()

const traefikRouter = (middlewares: Record<string, string>, router: Record<string, string> = {}) => ({
  labels: {
    'traefik.http.routers.r.rule': 'Host(`a.org`) && PathPrefix(`/x`)',
    ...Object.fromEntries(
      Object.entries(router).map(([name, text]) => [`traefik.http.routers.r.${name}`, text]),
    ),
    ...Object.fromEntries(
      Object.entries(middlewares).map(([name, text]) => [`traefik.http.middlewares.${name}`, text]),
    ),
  },
})

test("Traefik's middlewares: what is understood is done, and a route with another is left out", () => {
  const all = traefikRouter(
    {
      'both.chain.middlewares': 'strip,auth@docker',
      'strip.stripPrefix.prefixes': '/x,/y',
      'auth.basicauth.users': 'joe:$2y$05$abcdefghijklmnopqrstuv',
      'more.headers.customRequestHeaders.X-Who': 'it is "me" 100%',
      'more.ipallowlist.sourcerange': '10.0.0.0/8, 192.168.1.7',
      'limit.ratelimit.average': '100',
      'limit.ratelimit.period': '1m',
    },
    { middlewares: 'both,more,limit' },
  )
  const fields = ['rewrite', 'users', 'requestHeaders', 'allowedFrom', 'rateLimit'] as const
  assert.deepEqual(declared(all, ...fields), [
    {
      rewrite: { prefixes: ['/x', '/y'], by: '/' },
      users: [{ name: 'joe', password: '$2y$05$abcdefghijklmnopqrstuv', isHashed: true }],
      requestHeaders: [{ name: 'x-who', value: 'it is "me" 100%' }],
      allowedFrom: ['10.0.0.0/8', '192.168.1.7'],
      rateLimit: { requests: 100, perSeconds: 60 },
    },
  ])
  const told = (middlewares: Record<string, string>, names: string) =>
    said(traefikRouter(middlewares, { middlewares: names }))
  assert.match(told({ 'm.forwardauth.address': 'http://auth/' }, 'm'), /^label .*forwardauth.*left out$/)
  assert.match(told({}, 'm@file'), /^label .*routers\.r\.middlewares: there is no middleware m@file/)
  assert.match(told({ 'm.basicauth.users': 'joe:$apr1$abc' }, 'm'), /the password of joe is not hashed/)
  assert.match(told({ 'm.chain.middlewares': 'm' }, 'm'), /there is no middleware m/)
})

test("Traefik's pair of routers, without TLS and with it, is one route", () => {
  const pair = (middlewares: string) => ({
    labels: {
      'traefik.http.routers.plain.rule': 'Host(`a.org`)',
      'traefik.http.routers.plain.entrypoints': 'web',
      ...(middlewares === '' ? {} : { 'traefik.http.routers.plain.middlewares': middlewares }),
      'traefik.http.middlewares.away.redirectscheme.scheme': 'https',
      'traefik.http.routers.secure.rule': 'Host(`a.org`)',
      'traefik.http.routers.secure.entrypoints': 'websecure',
      'traefik.http.routers.secure.tls.certresolver': 'le',
    },
  })
  assert.deepEqual(declared(pair('away'), 'tls', 'withoutTls'), [
    { tls: { from: 'acme' }, withoutTls: undefined },
  ])
  assert.deepEqual(declared(pair(''), 'tls', 'withoutTls'), [{ tls: { from: 'acme' }, withoutTls: 'serve' }])
})

test('paths are rewritten as the other tools say it', () => {
  const rewritten = (spec: Parameters<typeof declared>[0]) => declared(spec, 'matches', 'rewrite')
  const expected = (path: string, prefix = path) => [
    { matches: [{ host: 'a.org', path }], rewrite: { prefixes: [prefix], by: '/' } },
  ]
  const nginx = ['VIRTUAL_HOST=a.org', 'VIRTUAL_PATH=/x', 'VIRTUAL_DEST=/']
  assert.deepEqual(rewritten({ template: withEnvironment(...nginx) }), expected('/x'))
  assert.deepEqual(
    rewritten({
      labels: {
        caddy: 'a.org',
        'caddy.0_handle_path': '/x/*',
        'caddy.0_handle_path.0_reverse_proxy': '{{upstreams 80}}',
      },
    }),
    expected('/x/'),
  )
  const flow = { 'com.df.notify': 'true', 'com.df.serviceDomain': 'a.org', 'com.df.servicePath': '/x' }
  assert.deepEqual(
    rewritten({ labels: { ...flow, 'com.df.reqPathSearch': '^/x/', 'com.df.reqPathReplace': '/' } }),
    expected('/x', '/x/'),
  )
  const labels = { 'mure.ingress.host': 'a.org', 'mure.ingress.path': '/x', 'mure.ingress.rewrite': '/' }
  assert.deepEqual(rewritten({ labels }), expected('/x'))
})

test('what keeps people out in other tools keeps them out here, or leads nowhere', () => {
  const environment = ['VIRTUAL_HOST=a.org', 'LETSENCRYPT_HOST=a.org', 'HTTPS_METHOD=nohttp']
  assert.deepEqual(declared({ template: withEnvironment(...environment) }, 'withoutTls', 'protocol'), [
    { withoutTls: 'refuse', protocol: 'http' },
  ])
  const fastcgi = ['VIRTUAL_HOST=a.org', 'VIRTUAL_PROTO=fastcgi', 'HTTPS_METHOD=never']
  assert.equal(declared({ template: withEnvironment(...fastcgi) }).length, 2)
  const flow = { 'com.df.notify': 'true', 'com.df.servicePath': '/x' }
  assert.deepEqual(declared({ labels: { ...flow, 'com.df.users': 'joe:secret' } }, 'users'), [
    { users: [{ name: 'joe', password: 'secret', isHashed: false }] },
  ])
  assert.match(said({ labels: { ...flow, 'com.df.reqMode': 'tcp' } }), /only http/)
  const caddy = { caddy: 'a.org', 'caddy.reverse_proxy': '{{upstreams 80}}' }
  assert.match(said({ labels: { ...caddy, 'caddy.basic_auth.joe': 'x' } }), /caddy\.basic_auth\.joe/)
  assert.deepEqual(declared({ labels: { ...caddy, 'caddy.encode': 'gzip' } }, 'port'), [{ port: 80 }])
})

test('the labels of Traefik 1 are understood, several routes by segments', () => {
  const rule = 'Host:a.org, b.org;PathPrefixStrip:/x'
  const labels = {
    'traefik.frontend.rule': rule,
    'traefik.port': '8080',
    'traefik.frontend.entryPoints': 'http,https',
    'traefik.frontend.whiteList.sourceRange': '10.0.0.0/8',
    'traefik.docker.network': 'proxy',
    'traefik.backend.loadbalancer.stickiness': 'true',
  }
  const fields = ['matches', 'port', 'withoutTls', 'rewrite', 'allowedFrom', 'isSticky'] as const
  assert.deepEqual(declared({ labels }, ...fields), [
    {
      matches: [
        { host: 'a.org', path: '/x' },
        { host: 'b.org', path: '/x' },
      ],
      port: 8080,
      withoutTls: 'serve',
      rewrite: { prefixes: ['/x'], by: '/' },
      allowedFrom: ['10.0.0.0/8'],
      isSticky: true,
    },
  ])
  const segments = {
    'traefik.one.frontend.rule': 'Host:a.org',
    'traefik.one.port': '81',
    'traefik.two.frontend.rule': 'Host:b.org',
    'traefik.port': '80',
  }
  assert.deepEqual(led({ labels: segments }), ['a.org → 81', 'b.org → 80'])
  assert.match(said({ labels: { ...labels, 'traefik.frontend.auth.forward.address': 'x' } }), /auth\.forward/)
  assert.match(
    said({ labels: { 'traefik.frontend.rule': 'HostRegexp:{a:.*}' } }),
    /HostRegexp.* is not understood/,
  )
})

test('a guard that is not understood leaves no way around it', () => {
  const none = (labels: Record<string, string>, why: RegExp) => {
    assert.match(said({ labels }), why)
    assert.deepEqual(led({ labels }), [])
  }
  none(
    {
      'mure.ingress.host': 'a.org',
      'mure.ingress.admin.host': 'a.org',
      'mure.ingress.admin.path': '/admin',
      'mure.ingress.admin.allow': '10.0.0.0/33',
    },
    /admin\.allow/,
  )
  none({ 'mure.ingress.host': 'a.org', 'mure.ingress.alow': '10.0.0.0/8' }, /alow is not known/)
  const router = { 'traefik.http.routers.r.rule': 'Host(`a.org`)' }
  none({ ...router, 'traefik.http.routers.r.tls.options': 'mtls@file' }, /tls\.options/)
  none({ ...router, 'traefik.http.routers.r.entrypoints': 'internal' }, /entrypoints/)
  none(
    {
      ...router,
      'traefik.http.routers.r.middlewares': 'lan,team',
      'traefik.http.middlewares.lan.ipallowlist.sourcerange': '10.0.0.0/8',
      'traefik.http.middlewares.team.ipallowlist.sourcerange': '10.1.0.0/16',
    },
    /one such middleware/,
  )
  none(
    {
      ...router,
      'traefik.http.routers.r.middlewares': 'h',
      'traefik.http.middlewares.h.headers.constructor': 'true',
    },
    /not understood/,
  )
  none({ 'traefik.x.frontend.rule': 'Host:a.org', 'traefik.frontend.auth.forward.address': 'x' }, /forward/)
  none({ 'traefik.frontend.rule': 'Host:a.org', 'traefik.frontend.entryPoints': 'internal' }, /entryPoints/)
  const site = { caddy: 'a.org', 'caddy.reverse_proxy': '{{upstreams 80}}' }
  none({ ...site, 'caddy.tls.client_auth.mode': 'require' }, /client_auth/)
  none({ ...site, caddy: 'a.org:8443' }, /for a port/)
  none(
    { ...site, 'caddy.reverse_proxy': '/public/* {{upstreams 80}} {{upstreams 81}}' },
    /only \{\{upstreams/,
  )
  const flow = { 'com.df.notify': 'true', 'com.df.serviceDomain.1': 'a.org', 'com.df.port.1': '80' }
  none({ ...flow, 'com.df.usersSecret': 'x' }, /usersSecret/)
  none({ ...flow, 'com.df.servicePathExclude.1': '/admin' }, /servicePathExclude/)
})

test('a guard without an entry lets nobody in, which is not the same as none', () => {
  const guarded = (label: string) => {
    const middlewares = { [`m.${label}`]: '' }
    return declared(traefikRouter(middlewares, { middlewares: 'm' }), 'users', 'allowedFrom')
  }
  assert.deepEqual(guarded('basicauth.users'), [{ users: [], allowedFrom: undefined }])
  assert.deepEqual(guarded('basicauth.realm'), [{ users: [], allowedFrom: undefined }])
  assert.deepEqual(guarded('ipallowlist.sourcerange'), [{ users: undefined, allowedFrom: [] }])
})
