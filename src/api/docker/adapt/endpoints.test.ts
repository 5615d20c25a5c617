import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withDnsNames } from './endpoints.ts'

test('the names of a container are told apart from those that were asked for', () => {
  const container = {
    Id: '0123456789abcdef',
    Name: '/web',
    Config: { Hostname: '0123456789ab' },
    NetworkSettings: {
      Ports: {},
      Networks: {
        bridge: { Aliases: null },
        shop: { Aliases: ['front', '0123456789ab'] },
        own: { Aliases: ['0123456789ab'] },
      },
    },
  }
  assert.deepEqual(withDnsNames(container), {
    ...container,
    NetworkSettings: {
      Ports: {},
      Networks: {
        bridge: { Aliases: null, DNSNames: null },
        shop: { Aliases: ['front'], DNSNames: ['web', 'front', '0123456789ab'] },
        own: { Aliases: null, DNSNames: ['web', '0123456789ab'] },
      },
    },
  })
})
