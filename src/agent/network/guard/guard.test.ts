import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptRules, missingRules } from './firewalls.ts'
import { linkLocalOf, removeCable, renderCable } from './cables.ts'
import { renderHostGuard } from './host-rules.ts'

const mac = '02:42:0a:00:00:03'

test('a cable lets through its own addresses and no others', () => {
  assert.deepEqual(renderCable('t', { device: 'muvabc1', mac, addresses: ['10.0.0.3'] }), [
    'add chain bridge t c_muvabc1',
    'flush chain bridge t c_muvabc1',
    'add rule bridge t c_muvabc1 ether saddr != 02:42:0a:00:00:03 drop',
    'add rule bridge t c_muvabc1 ip saddr 10.0.0.3 accept',
    'add rule bridge t c_muvabc1 arp saddr ether 02:42:0a:00:00:03 arp saddr ip 10.0.0.3 accept',
    'add rule bridge t c_muvabc1 drop',
    'add element bridge t cables { "muvabc1" : goto c_muvabc1 }',
  ])
  const six = renderCable('t', { device: 'muvabc1', mac, addresses: ['10.0.0.3', 'fd00::3'] })
  assert.ok(six.some((line) => line.endsWith('ip6 saddr { fd00::3, fe80::42:aff:fe00:3 } accept')))
  assert.equal(removeCable('t', { device: 'muvabc1', mac, addresses: [] }).length, 3)
})

test('the address that a link gives itself', () => {
  assert.equal(linkLocalOf(mac), 'fe80::42:aff:fe00:3')
})

test('without networks nothing is said of tunnels', () => {
  const guard = {
    bridges: [],
    vxlanIds: [],
    port: 4789,
    mac: '02:4d:00:00:00:01',
    hosts: ['192.168.0.1', 'fd00::1'],
    nameserver: '169.254.53.1',
    encrypted: { device: 'muw1', vxlanIds: [] },
  }
  const none = renderHostGuard('t', guard)
  assert.ok(!none.some((line) => line.includes('rule inet t tunnels')))
  const some = renderHostGuard('t', { ...guard, bridges: ['mub1001'], vxlanIds: [4097] })
  assert.ok(
    some.includes('add rule inet t tunnels udp dport 4789 @th,96,24 { 4097 } ip saddr != @hosts drop'),
  )
  for (const chain of ['untracked', 'leaving'])
    assert.ok(some.includes(`add rule inet t ${chain} udp dport 4789 @th,96,24 { 4097 } notrack`))
  assert.ok(some.includes('add element inet t within { "mub1001" . "mub1001" }'))
  assert.ok(some.includes('add element inet t hosts6 { fd00::1 }'))
})

test('what a firewall has to let pass is said once, in the chain that the engine keeps for it', () => {
  const wanted = acceptRules([4789])
  const docker = ['-P INPUT DROP', '-P FORWARD DROP', '-N DOCKER-USER', '-A FORWARD -j DOCKER-USER'].join(
    '\n',
  )
  assert.deepEqual(
    missingRules(docker, wanted).map((rule) => rule.join(' ')),
    [
      '-I DOCKER-USER -i mub+ -j ACCEPT',
      '-I DOCKER-USER -o mub+ -j ACCEPT',
      '-I INPUT -i mub+ -j ACCEPT',
      '-I INPUT -p udp -m udp --dport 4789 -j ACCEPT',
    ],
  )
  const after = `${docker}\n${missingRules(docker, wanted)
    .map((rule) => `-A ${rule.slice(1).join(' ')}`)
    .join('\n')}`
  assert.deepEqual(missingRules(after, wanted), [])
  assert.deepEqual(missingRules('-P FORWARD ACCEPT', wanted)[0], [
    '-I',
    'FORWARD',
    '-i',
    'mub+',
    '-j',
    'ACCEPT',
  ])
})
