import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialledAt } from './own-manager.ts'

test('this host’s own manager is dialled where it listens, any other where it says', () => {
  const at = (manager: string, listenAddress: string) =>
    dialledAt(manager, { advertiseAddress: '203.0.113.7:2377', listenAddress })
  assert.equal(at('203.0.113.7:2377', '0.0.0.0:2377'), '127.0.0.1:2377')
  assert.equal(at('203.0.113.7:2377', '[::]:2399'), '[::1]:2399')
  assert.equal(at('203.0.113.7:2377', '10.0.0.5:2377'), '10.0.0.5:2377')
  assert.equal(at('203.0.113.8:2377', '0.0.0.0:2377'), '203.0.113.8:2377')
})
