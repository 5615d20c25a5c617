import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { exec } from '#lib/exec.ts'
import { wireOf } from '#lab/record.ts'
import { macOfAddress } from '#agent/network/device-names.ts'
import { TestCluster, webImage } from '../support/cluster.ts'
import { tunnelPacket } from '../support/tunnel-packet.ts'

const busybox = 'registry:5000/busybox:latest'

let cluster: TestCluster
/** Addresses of the plain containers, by name. */
const address: Record<string, string> = {}

/** On network `open`: friend and evil on manager01, victim on worker01. On network `other`: stranger on manager01. */
before(async () => {
  cluster = await TestCluster.up({ name: 'e2enetsafe', managers: 1, workers: 1 })
  for (const network of ['open', 'other'])
    await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', '--attachable', network)
  const start = async (host: string, name: string, network: string, ...options: string[]) => {
    const args = ['run', '-d', '--name', name, '--network', network, ...options, busybox, 'sleep', '10000']
    await cluster.docker(host, ...args)
    const said = await cluster.docker(host, 'exec', name, 'ip', '-4', 'addr', 'show', 'eth0')
    address[name] = /inet ([\d.]+)/.exec(said)?.[1] ?? ''
  }
  await start('manager01', 'friend', 'open')
  await start('manager01', 'evil', 'open', '--cap-add', 'NET_ADMIN')
  await start('worker01', 'victim', 'open')
  await start('manager01', 'stranger', 'other')
})
after(() => cluster[Symbol.asyncDispose]())

const hostAddress = (host: string) => cluster.lab.hosts.find(({ name }) => name === host)?.address ?? ''
const sh = (host: string, container: string, line: string) =>
  cluster.docker(host, 'exec', container, 'sh', '-c', line)
const evil = (line: string) => sh('manager01', 'evil', line)
const ping = (target = '', options = '') => `ping -c 2 -W 1 ${options} ${target} 2>&1 || true`
const reaches = / 0% packet loss/
const isLost = /100% packet loss|unreachable/

test('a container is heard with its own addresses, and with nobody else’s', async () => {
  assert.match(await evil(ping(address['friend'])), reaches)
  assert.match(await evil(ping(address['victim'])), reaches)

  // Another's IP address, and another's answer to who has it.
  await evil(`ip addr add ${address['victim'] ?? ''}/32 dev eth0`)
  assert.match(await evil(ping(address['friend'], `-I ${address['victim'] ?? ''}`)), isLost)
  await evil(`arping -q -c 2 -A -s ${address['victim'] ?? ''} -I eth0 ${address['friend'] ?? ''} || true`)
  await evil(`ip addr del ${address['victim'] ?? ''}/32 dev eth0`)
  assert.match(await sh('manager01', 'friend', ping(address['victim'])), reaches)

  // Another's hardware address.
  const own = macOfAddress(address['evil'] ?? '')
  const become = (mac: string) =>
    evil(`ip link set eth0 down; ip link set eth0 address ${mac}; ip link set eth0 up`)
  await become(macOfAddress(address['victim'] ?? ''))
  assert.match(await evil(ping(address['friend'])), isLost)
  assert.match(await sh('manager01', 'friend', ping(address['victim'])), reaches)
  await become(own)
  assert.match(await evil(ping(address['friend'])), reaches)
})

test('a network is no way into another, nor to its host', async () => {
  const bridges = await cluster.run('manager01', 'ip', '-o', 'link', 'show', 'type', 'bridge')
  const bridgeMac = /mub\w+:.*?link\/ether (\S+)/.exec(bridges)?.[1] ?? ''
  const cable = (await evil('cat /sys/class/net/eth0/iflink')).trim()
  const links = await cluster.run('manager01', 'ip', '-o', 'link')
  const cableMac = new RegExp(`^${cable}: muv.*?link/ether (\\S+)`, 'm').exec(links)?.[1] ?? ''
  const through = (target = '', mac = bridgeMac) =>
    `ip neigh replace 169.254.99.1 lladdr ${mac} dev eth0 nud permanent; ` +
    `ip route replace ${target} via 169.254.99.1 dev eth0 onlink`
  // Nobody listens there, and the stranger's kernel counts what comes nevertheless.
  const ask = `nslookup -timeout=1 x ${address['stranger'] ?? ''} >/dev/null 2>&1 || true`
  const heard = async () =>
    Number((await sh('manager01', 'stranger', "grep '^Udp:' /proc/net/snmp | tail -1")).split(' ')[2])
  const atFirst = await heard()
  for (const mac of [cableMac, bridgeMac]) {
    assert.match(mac, /:/)
    await evil(through(address['stranger'], mac))
    assert.match(await evil(ping(address['stranger'])), isLost)
    await evil(ask)
    assert.equal(await heard(), atFirst)
  }
  await sh('manager01', 'stranger', ask)
  assert.notEqual(await heard(), atFirst)
  for (const host of ['manager01', 'worker01']) {
    const there = hostAddress(host)
    assert.doesNotMatch(await evil(`nc -w 2 ${there} 2377 </dev/null && echo connected || true`), isLost)
    await evil(through(there))
    assert.equal(await evil(`nc -w 2 ${there} 2377 </dev/null 2>/dev/null && echo connected || true`), '')
    assert.match(await evil(ping(there)), isLost)
    await evil(`ip route del ${there}`)
  }
  const names = await evil('nslookup stranger 2>&1 || true')
  assert.match(names, /can't find|NXDOMAIN|SERVFAIL/)
})

test('only hosts of the cluster send into its tunnels', async () => {
  const links = await cluster.run('worker01', 'ip', '-o', 'link', 'show', 'type', 'vxlan')
  const vxlanId = Number.parseInt(/mux(\w+):/.exec(links)?.[1] ?? '', 16)
  const end = (name: string) => ({ ip: address[name] ?? '', mac: macOfAddress(address[name] ?? '') })
  const packet = tunnelPacket({ vxlanId, from: end('friend'), to: end('victim'), port: 9999, text: 'x' })
  const send = [
    process.execPath,
    '-e',
    `const s=require('node:dgram').createSocket('udp4');` +
      `s.send(Buffer.from('${packet.toString('hex')}','hex'),4789,'${hostAddress('worker01')}',()=>s.close())`,
  ]
  // Nobody listens there, and the victim's kernel counts that.
  const heard = async () => {
    const counters = await sh('worker01', 'victim', "grep '^Udp:' /proc/net/snmp | tail -1")
    return Number(counters.split(' ')[2])
  }
  const before = await heard()
  await exec('ip', ['netns', 'exec', wireOf(cluster.lab.name), ...send])
  await cluster.run('manager01', ...send)
  await cluster.until('what a host sends to arrive', async () => (await heard()) > before)
  assert.equal(await heard(), before + 1)
  // From inside a container of a host, whose address it has once it is outside.
  const pid = await cluster.docker('manager01', 'inspect', '-f', '{{.State.Pid}}', 'evil')
  await cluster.run('manager01', 'nsenter', '-t', pid, '-n', ...send)
  await cluster.run('manager01', ...send)
  await cluster.until('what a host sends to arrive', async () => (await heard()) > before + 1)
  assert.equal(await heard(), before + 2)
})

test('a container that passes for another host does not get into the tunnels of its own', async () => {
  const links = await cluster.run('manager01', 'ip', '-o', 'link', 'show', 'type', 'vxlan')
  const end = (name: string) => ({ ip: address[name] ?? '', mac: macOfAddress(address[name] ?? '') })
  const [from, to] = [hostAddress('worker01'), hostAddress('manager01')]
  const vxlanIds = [...links.matchAll(/mux(\w+):/g)].map(([, id = '']) => Number.parseInt(id, 16))
  const hex = vxlanIds.map((vxlanId) =>
    tunnelPacket({ vxlanId, from: end('victim'), to: end('friend'), port: 9999, text: 'x' }).toString('hex'),
  )
  const send = [
    process.execPath,
    '-e',
    `const s=require('node:dgram').createSocket('udp4');const all=${JSON.stringify(hex)};let left=all.length;` +
      `s.bind(0,'${from}',()=>{for(const one of all)` +
      `s.send(Buffer.from(one,'hex'),4789,'${to}',()=>{if(--left===0)s.close()})})`,
  ]
  const heard = async () =>
    Number((await sh('manager01', 'friend', "grep '^Udp:' /proc/net/snmp | tail -1")).split(' ')[2])
  const before = await heard()
  await cluster.docker('manager01', 'run', '-d', '--name', 'plain', busybox, 'sleep', '10000')
  const pid = await cluster.docker('manager01', 'inspect', '-f', '{{.State.Pid}}', 'plain')
  const inside = ['nsenter', '-t', pid, '-n']
  await cluster.run('manager01', ...inside, 'ip', 'address', 'add', `${from}/32`, 'dev', 'lo')
  await cluster.run('manager01', ...inside, ...send)
  // The host itself is heard, and after it: so all that went before has come or is lost.
  await cluster.run('worker01', ...send)
  await cluster.until('what a host sends to arrive', async () => (await heard()) > before)
  assert.equal(await heard(), before + 1)
})

test('what a program of a host listens on is not taken from it, and is served once it has gone', async () => {
  await cluster.run('worker01', 'sh', '-c', 'mkdir -p /run/page; echo of the host >/run/page/index.html')
  await cluster.run('worker01', 'busybox', 'httpd', '-p', '127.0.0.1:8090', '-h', '/run/page')
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'web', '-p', '8090:8080', webImage],
  )
  const said = (host: string) =>
    cluster.run(host, 'sh', '-c', 'curl -sS -m 3 http://127.0.0.1:8090/ 2>&1 || true')
  await cluster.until('the other host to serve', async () => (await said('manager01')).includes('Hello'))
  assert.match(await said('worker01'), /of the host/)
  await cluster.run('worker01', 'pkill', '-f', 'httpd -p 127.0.0.1:8090')
  await cluster.until('this host to serve', async () => (await said('worker01')).includes('Hello'))
})

test('rules that somebody flushes are written anew at once', async () => {
  for (const flush of [
    ['nft', 'flush', 'ruleset'],
    ['iptables', '-F'],
    ['iptables', '-t', 'nat', '-F'],
  ]) {
    await cluster.run('manager01', ...flush)
    await cluster.until(
      `the mesh to answer after ${flush.join(' ')}`,
      async () =>
        (
          await cluster.run(
            'worker01',
            'sh',
            '-c',
            `curl -sS -m 1 http://${hostAddress('manager01')}:8090/ 2>&1 || true`,
          )
        ).includes('Hello'),
      5_000,
    )
  }
  await evil(`ip addr add ${address['victim'] ?? ''}/32 dev eth0`)
  assert.match(await evil(ping(address['friend'], `-I ${address['victim'] ?? ''}`)), isLost)
})

test('what is taken from the kernel comes back; what changed behind a cut cable is known once it is healed', async () => {
  const links = await cluster.run('worker01', 'ip', '-o', 'link', 'show', 'type', 'vxlan')
  const tunnel = /(mux\w+):/.exec(links)?.[1] ?? ''
  await cluster.run('worker01', 'ip', 'link', 'del', tunnel)
  const victim = (line: string) => sh('worker01', 'victim', line)
  await cluster.until('the tunnel to be made anew', async () =>
    reaches.test(await victim(ping(address['friend']))),
  )

  await cluster.cable('worker01', false)
  await cluster.until('the worker to be missed', async () =>
    /worker01 Down/.test(
      await cluster.docker('manager01', 'node', 'ls', '--format', '{{.Hostname}} {{.Status}}'),
    ),
  )
  const late = ['run', '-d', '--name', 'late', '--network', 'open', busybox, 'sleep', '10000']
  await cluster.docker('manager01', ...late)
  await cluster.cable('worker01', true)
  await cluster.until('the new name to be known and reached', async () => {
    const said = await victim('ping -c 1 -W 1 late 2>&1 || true')
    return reaches.test(said) || said
  })
})
