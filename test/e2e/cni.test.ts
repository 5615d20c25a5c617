import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
const busybox = 'registry:5000/busybox:latest'
const hosts = ['manager01', 'worker01']

before(async () => {
  cluster = await TestCluster.up({ name: 'e2ecni', managers: 1, workers: 1 })
})
after(() => cluster[Symbol.asyncDispose]())

const manager = (...args: string[]) => cluster.docker('manager01', ...args)

async function inTask(host: string, service: string, line: string): Promise<string> {
  const label = `label=com.docker.swarm.service.name=${service}`
  const id = await cluster.docker(host, 'ps', '-q', '--filter', label)
  return cluster.docker(host, 'exec', id, 'sh', '-c', `${line} 2>&1 || true`)
}

const answers = (text: string): string[] =>
  [...text.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1] ?? '')

test('macvlan: containers of all hosts are on the wire itself, and find each other by name', async () => {
  const route = await cluster.run('worker01', 'ip', '-o', '-4', 'addr')
  const [, device] = /^\d+: (\S+)\s+inet 192\.168\./m.exec(route) ?? []
  await manager(
    ...['network', 'create', '-d', 'cni', '--subnet', '10.89.0.0/24'],
    ...['--opt', 'cni.type=macvlan', '--opt', `cni.master=${device ?? ''}`, 'wire'],
  )
  await manager(
    ...['service', 'create', '-q', '--name', 'mac', '--network', 'wire', '--mode', 'global'],
    ...['--stop-grace-period', '0s', busybox, 'sleep', '100000'],
  )
  for (const host of hosts)
    await cluster.until(`${host} to find both tasks`, async () => {
      const found = answers(await inTask(host, 'mac', 'nslookup tasks.mac'))
      return found.length === 2 || found.join()
    })
  for (const address of answers(await inTask('manager01', 'mac', 'nslookup tasks.mac'))) {
    assert.match(address, /^10\.89\.0\./)
    assert.match(await inTask('manager01', 'mac', `ping -c 1 -W 3 ${address}`), / 0% packet loss/)
  }
  assert.match(await inTask('worker01', 'mac', 'ip addr'), /10\.89\.0\.\d+\/24/)
  await manager('service', 'rm', 'mac')
  await cluster.until('the network to be free', () => manager('network', 'rm', 'wire').then(() => true))
})

test('bridge and host-local: the plugin makes the bridge, and notes the address that the managers chose', async () => {
  // The engine has its host drop what it does not know of; the second plugin says otherwise.
  const plugins = [{ type: 'bridge', bridge: 'cnitest0', isGateway: true }, { type: 'firewall' }]
  await manager(
    ...['network', 'create', '-d', 'cni', '--attachable', '--subnet', '10.88.0.0/24'],
    ...['--opt', `cni.config=${JSON.stringify({ plugins })}`, 'local'],
  )
  const run = ['run', '-d', '--network', 'local', '--name']
  await cluster.docker('worker01', ...run, 'one', '--ip', '10.88.0.40', busybox, 'sleep', '100000')
  await cluster.docker('worker01', ...run, 'two', busybox, 'sleep', '100000')
  await cluster.until('two to reach one by its name', async () => {
    const said = await cluster.docker(
      'worker01',
      'exec',
      'two',
      'sh',
      '-c',
      'ping -c 1 -W 2 one 2>&1 || true',
    )
    return / 0% packet loss/.test(said) || said
  })
  const noted = () =>
    cluster.run('worker01', 'sh', '-c', 'ls /var/lib/mure/cni/addresses/local 2>/dev/null || true')
  assert.match(await noted(), /10\.88\.0\.40/)
  assert.match(await cluster.run('worker01', 'ip', '-o', 'link', 'show', 'master', 'cnitest0'), /veth/)
  await cluster.docker('worker01', 'rm', '-f', 'one', 'two')
  await cluster.until('the addresses to be free', async () => {
    const text = await noted()
    return !text.includes('10.88') || text
  })
  await cluster.until('the network to be free', () => manager('network', 'rm', 'local').then(() => true))
})

test('what cannot be is said: a network without a plugin, a plugin that is not there', async () => {
  assert.match(
    await cluster.refused('manager01', 'network', 'create', '-d', 'cni', 'x'),
    /a CNI plugin is needed/,
  )
  await manager('network', 'create', '-d', 'cni', '--opt', 'cni.type=no-such-plugin', 'broken')
  await manager(
    ...[
      'service',
      'create',
      '-q',
      '-d',
      '--name',
      'bad',
      '--network',
      'broken',
      '--restart-condition',
      'none',
    ],
    ...[busybox, 'true'],
  )
  await cluster.until('the task to say why', async () => {
    const said = await manager('service', 'ps', '--no-trunc', '--format', '{{.Error}}', 'bad')
    return /no-such-plugin is not on this host/.test(said) || said
  })
  await manager('service', 'rm', 'bad')
})
