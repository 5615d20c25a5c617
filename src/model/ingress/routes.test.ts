import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import type { Service, ServiceSpec } from '../service.ts'
import { aService, testEpoch } from '../testing/builders.ts'
import { describeMatch, routesOf } from './routes.ts'

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
