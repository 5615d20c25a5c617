import assert from 'node:assert/strict'
import test from 'node:test'
import { MureError } from '#lib/errors.ts'
import { pathPattern, Router } from './router.ts'

test('the first route that fits answers, with its parameters decoded', () => {
  const router = new Router()
  const named = async () => 'streamed' as const
  router.add('GET', '/services/{id}', named)
  router.add('POST', '/services/{id}/update', named, { minVersion: '1.24' })
  assert.deepEqual(router.find('GET', '/services/a%2Fb')?.params, { id: 'a/b' })
  assert.equal(router.find('POST', '/services/web/update')?.route.minVersion, '1.24')
  assert.equal(router.find('GET', '/services/web/update'), undefined)
  assert.equal(router.find('GET', '/services/'), undefined)
})

test('a name may hold slashes where the pattern says so', () => {
  const images = pathPattern('/images/{name:.*}/json')
  assert.deepEqual(images('/images/registry:5000/team/app/json'), { name: 'registry:5000/team/app' })
  assert.equal(images('/images/json'), undefined)
})

test('an escape that is none is the fault of the client', () => {
  assert.throws(
    () => pathPattern('/networks/{id}')('/networks/%zz'),
    (error: unknown) => error instanceof MureError && error.code === 'invalid',
  )
})
