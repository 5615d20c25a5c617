import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

const busybox = 'registry:5000/busybox:latest'
const hosts = ['manager01', 'worker01']

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eipv6', managers: 1, workers: 1 })
  for (const host of hosts)
    await cluster.run(host, 'ip', '-6', 'addr', 'add', `${hostAddress(host)}/64`, 'dev', 'eth0', 'nodad')
})
after(() => cluster[Symbol.asyncDispose]())

const hostAddress = (host: string) => `fd77::${String(hosts.indexOf(host) + 1)}`
const create = (...args: string[]) => cluster.docker('manager01', 'service', 'create', '-q', ...args)

async function inTask(host: string, service: string, line: string): Promise<string> {
  const label = `label=com.docker.swarm.service.name=${service}`
  const id = await cluster.docker(host, 'ps', '-q', '--filter', label)
  return cluster.docker(host, 'exec', id, 'sh', '-c', line)
}

/** Quad-A answers alone. */
const answers = (text: string): string[] =>
  [...text.matchAll(/^Address: (\S*:\S*)$/gm)]
    .map((match) => match[1] ?? '')
    .filter((one) => !/:53$/.test(one))

const get = (address: string, port = 8080) =>
  `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} ${String(port)} | tail -1`

test('tasks talk over IPv6: by address, by name and by virtual address', async () => {
  await cluster.docker(
    'manager01',
    ...['network', 'create', '-d', 'overlay', '--ipv6', '--subnet', 'fd00:6::/64', 'six'],
  )
  await create('--name', 'web', '--network', 'six', '--mode', 'global', webImage)
  await create(
    ...['--name', 'cli', '--network', 'six', '--mode', 'global', '--stop-grace-period', '0s'],
    ...[busybox, 'sleep', '100000'],
  )
  const inspected = JSON.parse(await cluster.docker('manager01', 'network', 'inspect', 'six')) as {
    EnableIPv6: boolean
    IPAM: { Config: { Subnet: string }[] }
  }[]
  assert.equal(inspected[0]?.EnableIPv6, true)
  assert.equal(inspected[0]?.IPAM.Config[1]?.Subnet, 'fd00:6::/64')
  for (const host of hosts) {
    const [virtual, ...others] = answers(await inTask(host, 'cli', 'nslookup -type=aaaa web'))
    assert.match(virtual ?? '', /^fd00:6::/)
    assert.deepEqual(others, [])
    const tasks = answers(await inTask(host, 'cli', 'nslookup -type=aaaa tasks.web'))
    assert.equal(new Set(tasks).size, 2)
    for (const task of tasks) assert.match(await inTask(host, 'cli', get(task)), /Hello/)
    const served = await inTask(host, 'cli', `for i in $(seq 20); do ${get(virtual ?? '')}; done | sort -u`)
    assert.equal(served.trim().split('\n').length, 2)
  }
})

test('a subnet is chosen where none is given', async () => {
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', '--ipv6', 'any')
  const subnet = await cluster.docker(
    'manager01',
    ...['network', 'inspect', '-f', '{{(index .IPAM.Config 1).Subnet}}', 'any'],
  )
  assert.match(subnet, /^fd.*\/64$/)
  await cluster.docker('manager01', 'network', 'rm', 'any')
})

test("a published port answers over IPv6 on every host, and the task sees the client's own address", async () => {
  const nearOnly = ['--constraint', 'node.role==worker']
  await create('--name', 'pub', '-p', '8081:8080', ...nearOnly, webImage)
  for (const from of hosts)
    for (const to of [...hosts.map(hostAddress), '::1'])
      assert.match(
        await cluster.run(from, 'curl', '-sS', '-m', '3', '-g', `http://[${to}]:8081/`),
        /Hello/,
        `${from} to ${to}`,
      )
  await create(
    ...['--name', 'seen', '-p', '8082:9', '--constraint', 'node.role==manager'],
    ...[busybox, 'sh', '-c', 'nc -ll -p 9 -e sleep 20'],
  )
  const connecting = cluster.run(
    'manager01',
    ...['sh', '-c', `sleep 10 | busybox nc -w 10 ${hostAddress('worker01')} 8082 >/dev/null 2>&1 || true`],
  )
  await cluster.until('the task to see the client', async () => {
    const seen = await inTask('manager01', 'seen', 'netstat -tn')
    return seen.includes(`${hostAddress('manager01')}:`) || seen
  })
  await connecting
})

test('plain containers of an attachable network have an address of each kind', async () => {
  await cluster.docker(
    'manager01',
    ...['network', 'create', '-d', 'overlay', '--attachable', '--ipv6', 'open'],
  )
  for (const [host, name] of [
    ['manager01', 'one'],
    ['worker01', 'two'],
  ] as const)
    await cluster.docker(host, 'run', '-d', '--name', name, '--network', 'open', busybox, 'sleep', '1000')
  const [two] = answers(await cluster.docker('manager01', 'exec', 'one', 'nslookup', '-type=aaaa', 'two'))
  assert.match(
    await cluster.docker('manager01', 'exec', 'one', 'ping', '-6', '-c', '2', '-W', '2', two ?? ''),
    / 0% packet loss/,
  )
})
