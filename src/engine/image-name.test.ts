import assert from 'node:assert/strict'
import test from 'node:test'
import { registryOf, splitImage } from './image-name.ts'

test('a colon may belong to the registry, and a digest wins over a tag', () => {
  assert.deepEqual(splitImage('nginx'), { name: 'nginx', tag: 'latest' })
  assert.deepEqual(splitImage('registry:5000/web'), { name: 'registry:5000/web', tag: 'latest' })
  assert.deepEqual(splitImage('registry:5000/web:1.2'), { name: 'registry:5000/web', tag: '1.2' })
  assert.deepEqual(splitImage('web:1.2@sha256:ab'), { name: 'web', tag: 'sha256:ab' })
})

test('the first part of a name is a registry if it can be a host', () => {
  assert.equal(registryOf('nginx:1.2'), '')
  assert.equal(registryOf('library/nginx'), '')
  assert.equal(registryOf('registry:5000/web:1'), 'registry:5000')
  assert.equal(registryOf('localhost/web'), 'localhost')
})
