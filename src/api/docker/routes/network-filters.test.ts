import assert from 'node:assert/strict'
import { test } from 'node:test'
import { networkFilter } from './network-filters.ts'

test('a network is found by a part of its name, and by an expression', () => {
  const network = { Name: 'web', Id: 'i', Driver: 'overlay', Scope: 'swarm', Labels: null }
  const finds = (name: string) => networkFilter(JSON.stringify({ name: [name] }))(network)
  assert.deepEqual(['web', 'eb', '^web$', '^w', '^eb$', '(', 'webs'].map(finds), [
    ...[true, true, true, true],
    ...[false, false, false],
  ])
})
