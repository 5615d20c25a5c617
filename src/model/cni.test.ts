import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cniPluginsOf } from './cni.ts'
import type { NetworkSpec } from './network.ts'

const spec = (options: Record<string, string>) =>
  ({ driver: { name: 'cni', options } }) as unknown as NetworkSpec

test('options are one plugin, a configuration is one or a list of them', () => {
  assert.deepEqual(cniPluginsOf(spec({ 'cni.type': 'macvlan', 'cni.master': 'eth0', 'cni.mtu': '1400' })), [
    { type: 'macvlan', master: 'eth0', mtu: 1400 },
  ])
  assert.deepEqual(cniPluginsOf(spec({ 'cni.config': '{"type":"bridge","isGateway":true}' })), [
    { type: 'bridge', isGateway: true },
  ])
  assert.deepEqual(
    cniPluginsOf(spec({ 'cni.config': '{"plugins":[{"type":"bridge"},{"type":"tuning"}]}' })),
    [{ type: 'bridge' }, { type: 'tuning' }],
  )
})

const problemOf = (options: Record<string, string>): string => {
  const plugins = cniPluginsOf(spec(options))
  return typeof plugins === 'string' ? plugins : 'none'
}

test('what is no configuration is said to be none; a plugin is never a path', () => {
  assert.match(problemOf({}), /a CNI plugin is needed/)
  assert.match(problemOf({ 'cni.type': '../../bin/sh' }), /a CNI plugin is needed/)
  assert.match(problemOf({ 'cni.config': '{' }), /not JSON/)
  assert.match(problemOf({ 'cni.config': '{"plugins":[]}' }), /names no plugin/)
})
