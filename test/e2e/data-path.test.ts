import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
const hosts = ['manager01', 'worker01'] as const
const port = '5789'
const mure = join(import.meta.dirname, '../../mure')
const dataPath = { manager01: '10.200.0.1', worker01: '10.200.0.2' }
const addressOf = (host: string) => cluster.lab.hosts.find(({ name }) => name === host)?.address ?? ''

/** The cluster's own traffic goes by one address of each host, the networks' by another, over a wire of a lower MTU. */
before(async () => {
  cluster = await TestCluster.up({ name: 'e2edatapath', managers: 1, workers: 1, swarm: false })
  for (const host of hosts) {
    await cluster.run(host, 'ip', 'addr', 'add', `${dataPath[host]}/24`, 'dev', 'eth0')
    await cluster.run(host, 'ip', 'link', 'set', 'eth0', 'mtu', '1400')
  }
  await cluster.docker(
    'manager01',
    ...['swarm', 'init', '--advertise-addr', addressOf('manager01')],
    ...['--data-path-addr', dataPath.manager01, '--data-path-port', port],
  )
  const token = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  await cluster.docker(
    'worker01',
    ...['swarm', 'join', '--token', token, '--data-path-addr', dataPath.worker01],
    `${addressOf('manager01')}:2377`,
  )
})
after(() => cluster[Symbol.asyncDispose]())

test('tunnels end at the addresses and the port that were asked for, with the MTU of their wire', async () => {
  assert.match(await cluster.docker('manager01', 'info'), new RegExp(`Data Path Port: ${port}`))
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'net')
  await cluster.docker(
    'manager01',
    ...['network', 'create', '-d', 'overlay', '--opt', 'com.docker.network.driver.mtu=1200', 'narrow'],
  )
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'pair', '--network', 'net', '--network', 'narrow'],
    ...['--mode', 'global', '--stop-grace-period', '0s', 'registry:5000/busybox:latest', 'sleep', '100000'],
  )
  for (const host of hosts) {
    const links = await cluster.run(host, 'ip', '-d', '-o', 'link', 'show', 'type', 'vxlan')
    const ends = [...links.matchAll(/mtu (\d+) .* local (\S+) .*dstport (\d+)/g)].map(([, ...end]) => end)
    assert.deepEqual(ends.sort(), [
      ['1200', dataPath[host], port],
      ['1350', dataPath[host], port],
    ])
  }
  const id = await cluster.docker(
    'manager01',
    'ps',
    '-q',
    '--filter',
    'label=com.docker.swarm.service.name=pair',
  )
  const said = await cluster.docker('manager01', 'exec', id, 'nslookup', 'tasks.pair')
  for (const [, address = ''] of said.matchAll(/^Address: (\S+)$/gm))
    assert.match(
      await cluster.docker('manager01', 'exec', id, 'ping', '-c', '1', '-W', '3', '-s', '1300', address),
      / 0% packet loss/,
    )
  const found = await cluster.run('manager01', 'sh', '-c', `${mure} network doctor 2>&1; true`)
  assert.match(found, new RegExp(`Paths \\(UDP ${port}\\)`))
  assert.match(found, /manager01 → worker01: ok, [\d.]+ ms, 1400 bytes/)
})

test('a subnet of the pool keeps clear of the routes of all hosts', async () => {
  // The first subnets of the pool lead elsewhere from one host; it tells so within a minute, or when it comes up.
  await cluster.run('worker01', 'ip', 'route', 'add', 'blackhole', '10.0.0.0/9')
  await cluster.run('worker01', 'sh', '-c', `kill -9 $(pgrep -f '[c]li/main.ts daemon')`)
  await cluster.until('worker01 to be back', async () => {
    const name = `probe${String(Math.trunc(performance.now()))}`
    await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', name)
    const format = '{{(index .IPAM.Config 0).Subnet}}'
    const subnet = await cluster.docker('manager01', 'network', 'inspect', '-f', format, name)
    await cluster.docker('manager01', 'network', 'rm', name)
    return subnet === '10.128.0.0/20' || subnet
  })
})
