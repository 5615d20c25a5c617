import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
const hosts = ['manager01', 'worker01']
const mure = join(import.meta.dirname, '../../mure')

before(async () => {
  cluster = await TestCluster.up({ name: 'e2edoctor', managers: 1, workers: 1 })
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'front')
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'pair', '--network', 'front', '--mode', 'global'],
    ...['--stop-grace-period', '0s'],
    ...['registry:5000/busybox:latest', 'sleep', '100000'],
  )
})
after(() => cluster[Symbol.asyncDispose]())

/** What the doctor says, and whether all is well. */
async function doctor(...options: string[]): Promise<string> {
  const line = `${mure} network doctor ${options.join(' ')} 2>&1; echo "exit $?"`
  return cluster.run('manager01', 'sh', '-c', line)
}

test('a cluster that is well is said to be, with the way between each pair of hosts', async () => {
  await cluster.until('all to be well', async () => {
    const said = await doctor()
    return /2 of 2 are as they should be\nexit 0/.test(said) || said
  })
  const said = await doctor()
  for (const [from, to] of [hosts, [...hosts].reverse()])
    assert.match(said, new RegExp(`${from ?? ''} → ${to ?? ''}: ok, [\\d.]+ ms, 1500 bytes`))
})

test('what somebody has changed in a kernel is named, and repaired on order', async () => {
  const [vxlan] = /mux[0-9a-f]+/.exec(await cluster.run('worker01', 'ip', '-o', 'link')) ?? []
  const damage = `ip link set ${vxlan ?? ''} mtu 1300 && bridge fdb show dev ${vxlan ?? ''} | awk '/dst/ {print $1, $3}' | while read mac dst; do bridge fdb del $mac dev ${vxlan ?? ''} dst $dst self; done`
  // What is compared every few seconds anyhow may be quicker: damage and look until the look was.
  await cluster.until('the damage to be named', async () => {
    await cluster.run('worker01', 'sh', '-c', damage)
    const said = await doctor('--repair')
    return (
      (/network front: .* has the MTU 1300 instead of 1450 \(repaired\)/.test(said) &&
        /network front: .* leads nowhere instead of to [\d.]+ \(repaired\)/.test(said)) ||
      said
    )
  })
  assert.match(await doctor(), /worker01: \d+ networks?, all as it should be/)
})

test('a daemon that is killed in the middle of changes leaves nothing half done', async () => {
  const kill = `kill -9 $(pgrep -f '[c]li/main.ts daemon')`
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'back')
  const update = ['service', 'update', '-d', '--network-add', 'back', 'pair']
  // At once, when the network is on its way, and when its links and containers are being made.
  for (const pause of [0, 0.3, 1]) {
    await cluster.docker('manager01', ...update)
    await cluster.run('worker01', 'sh', '-c', `sleep ${String(pause)}; ${kill}`)
    update.splice(-3, 3, update.includes('--network-add') ? '--network-rm' : '--network-add', 'back', 'pair')
  }
  await cluster.until('all to be well on both networks', async () => {
    const links = await cluster.run('worker01', 'ip', '-o', 'link', 'show', 'type', 'vxlan')
    const line = 'docker exec $(docker ps -q) nslookup tasks.pair 2>&1 || true'
    const named = await cluster.run('worker01', 'sh', '-c', line)
    const said = await doctor()
    const isWhole = [...said.matchAll(/2 networks, all as it should be/g)].length === 2
    const isEach = [...named.matchAll(/^Address: /gm)].length === 4
    return (isWhole && isEach && links.trim().split('\n').length === 2) || `${said}\n${links}\n${named}`
  })
})

test('a way that is closed, or too narrow, is said to be', async () => {
  await cluster.run('worker01', 'iptables', '-I', 'INPUT', '-p', 'udp', '--dport', '4789', '-j', 'DROP')
  const closed = await doctor()
  assert.match(closed, /manager01 → worker01: nothing comes back: is UDP 4789 open/)
  assert.match(closed, /exit 1/)
  await cluster.run('worker01', 'iptables', '-D', 'INPUT', '-p', 'udp', '--dport', '4789', '-j', 'DROP')
  const narrow = ['-p', 'udp', '--dport', '4789', '-m', 'length', '--length', '1400:1600', '-j', 'DROP']
  await cluster.run('worker01', 'iptables', '-I', 'INPUT', ...narrow)
  assert.match(await doctor(), /manager01 → worker01: only small packets come back; 1500 bytes do not/)
  await cluster.run('worker01', 'iptables', '-D', 'INPUT', ...narrow)
  const links = await cluster.run('worker01', 'ip', '-o', 'link')
  assert.doesNotMatch(links, /mup/)
})
