import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLinkBack, isLossOfLink, isLossOfRules } from './kernel-watch.ts'

test('a flush is heard, our own small changes are not', () => {
  const heard = (line: string) => isLossOfRules(line, 'mure_0a')
  assert.ok(heard('delete table ip mure_0a'))
  assert.ok(heard('delete rule ip mure_0a prerouting handle 12'))
  assert.ok(heard('delete rule ip filter DOCKER-USER handle 3'))
  assert.ok(!heard('delete table ip mure_0b'))
  assert.ok(!heard('delete rule ip mure_0a p_tcp_80 handle 12'))
  assert.ok(!heard('delete element ip mure_0a tcp_ports { 80 : goto p_tcp_80 }'))
  assert.ok(!heard('add rule ip mure_0a prerouting'))
  assert.ok(!heard('delete rule ip filter DOCKER handle 3'))
})

test('a cable that is plugged in, and a device that is gone', () => {
  assert.ok(isLinkBack('2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP'))
  assert.ok(!isLinkBack('2: eth0@if3: <NO-CARRIER,BROADCAST,MULTICAST,UP> mtu 1500 state DOWN'))
  assert.ok(!isLinkBack('9: muvabc1@if8: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1450'))
  assert.ok(isLossOfLink('Deleted 5: mux1001: <BROADCAST,MULTICAST> mtu 1450'))
  assert.ok(!isLossOfLink('Deleted 5: veth1@if4: <BROADCAST>'))
})
