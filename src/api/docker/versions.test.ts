import assert from 'node:assert/strict'
import test from 'node:test'
import { compareVersions, newer, splitVersion, versionRefusal } from './versions.ts'

test('versions compare by number, not by text', () => {
  assert.ok(compareVersions('1.5', '1.41') < 0)
  assert.ok(compareVersions('1.41.1', '1.41') > 0)
  assert.equal(compareVersions('1', '1.0'), 0)
  assert.equal(newer('1.9', '1.44'), '1.44')
})

test('a path gives its version and the rest, byte for byte', () => {
  assert.deepEqual(splitVersion('/v1.41/images/a%2Fb/json'), { version: '1.41', rest: '/images/a%2Fb/json' })
  assert.deepEqual(splitVersion('/volumes'), { version: undefined, rest: '/volumes' })
  assert.deepEqual(splitVersion('/v1.41'), { version: undefined, rest: '/v1.41' })
})

test("a version that is not served is refused in Docker's words", () => {
  assert.equal(
    versionRefusal('1.99', '1.44', '1.12'),
    'client version 1.99 is too new. Maximum supported API version is 1.44',
  )
  assert.equal(
    versionRefusal('1.5', '1.44', '1.12'),
    'client version 1.5 is too old. Minimum supported API version is 1.12, please upgrade your client to a newer version',
  )
  assert.equal(versionRefusal('1.44', '1.44', '1.12'), undefined)
})
