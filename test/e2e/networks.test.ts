import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
const hosts = ['manager01', 'worker01', 'worker02']
const busybox = 'registry:5000/busybox:latest'

before(async () => {
  cluster = await TestCluster.up({ name: 'e2enets', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

const create = (...args: string[]) => cluster.docker('manager01', 'service', 'create', '-q', ...args)
const addressOf = (host: string) => cluster.lab.hosts.find(({ name }) => name === host)?.address ?? ''

async function inTask(host: string, service: string, line: string): Promise<string> {
  const id = await cluster.docker(
    host,
    'ps',
    '-q',
    '--filter',
    `label=com.docker.swarm.service.name=${service}`,
  )
  return cluster.docker(host, 'exec', id, 'sh', '-c', line)
}

const answers = (text: string): string[] =>
  [...text.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1] ?? '')

test('tasks on different hosts talk as on one, by name, virtual address and each by its own', async () => {
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'net1')
  await create('--name', 'web', '--network', 'name=net1,alias=www', '--replicas', '3', webImage)
  await create(
    '--name',
    'cli',
    '--network',
    'net1',
    '--mode',
    'global',
    '--stop-grace-period',
    '0s',
    busybox,
    'sleep',
    '100000',
  )
  const vip = (
    await cluster.docker(
      'manager01',
      'service',
      'inspect',
      'web',
      '--format',
      '{{(index .Endpoint.VirtualIPs 0).Addr}}',
    )
  ).replace(/\/.*/, '')
  for (const host of hosts) {
    assert.deepEqual(answers(await inTask(host, 'cli', 'nslookup web')), [vip])
    assert.deepEqual(answers(await inTask(host, 'cli', 'nslookup www')), [vip])
    const tasks = answers(await inTask(host, 'cli', 'nslookup tasks.web'))
    assert.equal(new Set(tasks).size, 3)
    const get = (address: string) => `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${address} 8080 | tail -1`
    for (const address of tasks) assert.match(await inTask(host, 'cli', get(address)), /Hello/)
    const served = await inTask(host, 'cli', `for i in $(seq 30); do ${get(vip)}; done | sort -u | wc -l`)
    assert.equal(served.trim(), '3')
  }
})

test('the networks know nothing of each other', async () => {
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'net2')
  await create(
    '--name',
    'other',
    '--network',
    'net2',
    '--mode',
    'global',
    '--stop-grace-period',
    '0s',
    busybox,
    'sleep',
    '100000',
  )
  const [target] = answers(await inTask('manager01', 'cli', 'nslookup tasks.web'))
  for (const host of hosts) {
    assert.match(await inTask(host, 'other', 'nslookup web 2>&1 || true'), /can't find|SERVFAIL|NXDOMAIN/)
    // Neither through the host that both are on.
    const got = await inTask(host, 'other', `ping -c 1 -W 1 ${target ?? ''} 2>&1 || true`)
    assert.match(got, /100% packet loss|unreachable/)
  }
  await cluster.docker('manager01', 'service', 'rm', 'other')
})

test("a published port answers on every host and address, and the task sees the client's own", async () => {
  await create(
    '--name',
    'pub',
    '-p',
    '8081:8080',
    '--replicas',
    '2',
    '--constraint',
    'node.role==worker',
    // A container runs before its program listens: traffic is wanted when it does.
    ...['--health-cmd', 'wget -q -O /dev/null http://127.0.0.1:8080/', '--health-interval', '500ms'],
    webImage,
  )
  assert.match(
    await cluster.docker('manager01', 'service', 'ls', '--filter', 'name=pub'),
    /\*:8081->8080\/tcp/,
  )
  const fetch = (from: string, address: string) =>
    cluster.run(from, 'curl', '-sS', '-m', '3', `http://${address}:8081/`)
  for (const from of hosts) {
    for (const to of hosts) assert.match(await fetch(from, addressOf(to)), /Hello/, `${from} to ${to}`)
    assert.match(await fetch(from, '127.0.0.1'), /Hello/, from)
  }
  // A connection through manager01, where no task runs, seen from inside the task.
  await create(
    '--name',
    'seen',
    '-p',
    '8082:9',
    '--constraint',
    'node.hostname==worker01',
    busybox,
    'sh',
    '-c',
    'nc -ll -p 9 -e sleep 20',
  )
  const connecting = cluster.run(
    'worker02',
    ...['sh', '-c', `sleep 5 | busybox nc -w 5 ${addressOf('manager01')} 8082 >/dev/null 2>&1 || true`],
  )
  await cluster.until('the task to see the client', async () => {
    const seen = await inTask('worker01', 'seen', 'netstat -tn')
    return new RegExp(`:9\\s+\\S*${addressOf('worker02')}:`).test(seen) || seen
  })
  await connecting
  await cluster.docker('manager01', 'service', 'rm', 'seen')
})

test('scaled to none, a port refuses at once; scaled up again, it answers', async () => {
  await cluster.docker('manager01', 'service', 'scale', '-d', 'pub=0')
  await cluster.until('the port to refuse', async () => {
    const said = await cluster.run(
      'manager01',
      'sh',
      '-c',
      `curl -sS -m 2 http://127.0.0.1:8081/ 2>&1 || true`,
    )
    return /refused|Couldn't connect/.test(said) || said
  })
  await cluster.docker('manager01', 'service', 'scale', '-d', 'pub=2')
  await cluster.until('the port to answer', async () => {
    const said = await cluster.run(
      'manager01',
      'sh',
      '-c',
      `curl -sS -m 2 http://127.0.0.1:8081/ 2>&1 || true`,
    )
    return said.includes('Hello') || said
  })
})

/** Answers each datagram with who sent it; asks once a second until it is answered. */
const udpEcho = `const s = require('dgram').createSocket('udp6')
  s.on('message', (m, from) => s.send(from.address, from.port, from.address)); s.bind(9)`
const udpAsk = (address: string, port: number) => `
  const s = require('dgram').createSocket('${address.includes(':') ? 'udp6' : 'udp4'}')
  const ask = () => s.send('who am I', ${String(port)}, '${address}')
  s.on('message', (m) => { console.log(m.toString()); process.exit() })
  ask(); setInterval(ask, 1000); setTimeout(() => process.exit(1), 15000)`

test("a published UDP port answers on every host and address, and the task sees the client's own", async () => {
  const onWorker = ['--constraint', 'node.hostname==worker01']
  await create('--name', 'udp', '-p', '8083:9/udp', ...onWorker, busybox, 'sleep', '100000')
  const id = await cluster.docker('worker01', 'ps', '-q', '--filter', 'name=udp.1.')
  const pid = await cluster.docker('worker01', 'inspect', '-f', '{{.State.Pid}}', id)
  const inside = ['nsenter', '--target', pid.trim(), '--net']
  const log = '/run/udp-echo.pid'
  await cluster.run(
    'worker01',
    'sh',
    '-c',
    `"$@" >/dev/null 2>&1 & echo $! >${log}`,
    'sh',
    ...inside,
    process.execPath,
    '-e',
    udpEcho,
  )
  const ask = (from: string, address: string) =>
    cluster.run(from, process.execPath, '-e', udpAsk(address, 8083))
  for (const from of hosts) {
    for (const to of hosts)
      assert.equal((await ask(from, addressOf(to))).trim(), `::ffff:${addressOf(from)}`, `${from} to ${to}`)
    assert.notEqual(await ask(from, '127.0.0.1'), '')
    assert.notEqual(await ask(from, '::1'), '')
  }
  await cluster.run('worker01', 'sh', '-c', `kill $(cat ${log})`)
  await cluster.docker('manager01', 'service', 'rm', 'udp')
})

test('a port refuses at once as long as its service has no task that runs', async () => {
  await create('--name', 'never', '-d', '-p', '8084:80', '--constraint', 'node.hostname==none', webImage)
  for (const host of hosts)
    await cluster.until(`${host} to hold the port`, async () => {
      const line = `ss -Hltn sport = :8084; curl -sS -m 2 http://127.0.0.1:8084/ 2>&1 || true`
      const said = await cluster.run(host, 'sh', '-c', line)
      return /LISTEN[^]*(refused|Couldn't connect)/.test(said) || said
    })
  await cluster.docker('manager01', 'service', 'rm', 'never')
})

test('a rolling update and a restart of mured lose no request of the mesh', async () => {
  const load = cluster.run(
    'manager01',
    ...[
      'sh',
      '-c',
      `for i in $(seq 400); do curl -s -m 3 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:8081/ || true; done | sort | uniq -c`,
    ],
  )
  await cluster.docker(
    'manager01',
    'service',
    'update',
    '-q',
    '--force',
    '--update-order',
    'start-first',
    'pub',
  )
  await cluster.run('worker01', 'sh', '-c', `kill -9 $(pgrep -f '[c]li/main.ts daemon')`)
  assert.match((await load).trim(), /^400 200$/)
  await cluster.until('worker01 to answer', async () => (await cluster.docker('worker01', 'version')) !== '')
})

test('bad networks are refused with a reason; what is in use stays; what is gone leaves nothing', async () => {
  const refusals: [string[], RegExp][] = [
    [['create', '-d', 'overlay', 'net1'], /already exists/],
    [['create', '-d', 'overlay', '--subnet', '10.0.16.0/24', 'x'], /Pool overlaps/],
    [['create', '-d', 'overlay', '--subnet', 'nonsense', 'x'], /nonsense/],
    [['create', '-d', 'overlay', '--ingress', 'x'], /already present/],
    [['rm', 'net1'], /in use by service/],
  ]
  for (const [args, reason] of refusals)
    assert.match(await cluster.refused('manager01', 'network', ...args), reason)
  assert.match(
    await cluster.refused('worker01', 'network', 'create', '-d', 'overlay', 'x'),
    /not a swarm manager/,
  )
  await cluster.docker('manager01', 'service', 'rm', 'web', 'cli', 'pub')
  await cluster.docker('manager01', 'network', 'rm', 'net1', 'net2')
  for (const host of hosts)
    await cluster.until(`${host} to have no link left`, async () => {
      const links = await cluster.run(host, 'ip', '-br', 'link')
      return !/mu[bx]/.test(links) || links
    })
})

test('plain containers of any host are on an attachable network, and their addresses come back', async () => {
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', '--attachable', 'open')
  await cluster.docker('manager01', 'network', 'create', '-d', 'overlay', 'closed')
  await create('--name', 'web', '--network', 'open', webImage)
  await cluster.docker(
    'manager01',
    'run',
    '-d',
    '--name',
    'one',
    '--network',
    'open',
    busybox,
    'sleep',
    '1000',
  )
  await cluster.docker(
    'worker01',
    'run',
    '-d',
    '--name',
    'two',
    '--network',
    'open',
    busybox,
    'sleep',
    '1000',
  )
  const asked = (host: string, container: string, name: string) =>
    cluster.docker(host, 'exec', container, 'nslookup', name).then(answers)
  const [one] = await asked('worker01', 'two', 'one')
  assert.equal((await asked('manager01', 'one', 'two')).length, 1)
  assert.equal((await asked('worker01', 'two', 'web')).length, 1)
  assert.match(
    await cluster.docker('worker01', 'exec', 'two', 'ping', '-c', '1', '-W', '2', one ?? ''),
    / 0% packet loss/,
  )
  assert.match(
    await cluster.refused('worker01', 'run', '--rm', '--network', 'closed', busybox, 'true'),
    /Could not attach to network closed: .*not manually attachable/,
  )
  assert.match(
    await cluster.refused('worker01', 'run', '--rm', '--network', 'none-such', busybox, 'true'),
    /not found/,
  )
  assert.match(await cluster.refused('manager01', 'network', 'rm', 'open'), /in use by/)
  await cluster.docker('manager01', 'service', 'rm', 'web')
  await cluster.docker('manager01', 'rm', '-f', 'one')
  await cluster.docker('worker01', 'rm', '-f', 'two')
  await cluster.docker('manager01', 'network', 'rm', 'closed')
  await cluster.until('the network to be free', () =>
    cluster.docker('manager01', 'network', 'rm', 'open').then(() => true),
  )
})
