import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { lab, listed, ownLab, tryLab } from './mure-lab.ts'

// Plain Docker hosts: what is tested here is the lab, and Debian's own swarm is what its hosts are made into.
const own = ownLab('plain')
const inHost = (host: string, ...command: readonly string[]) =>
  lab('exec', '--name', own.name, host, '--', ...command)
const operate = (what: string, host: string) => lab(what, '--name', own.name, host)

before(async () => {
  const said = await lab('up', '--name', own.name, '--engine-only', '--managers', '1', '--workers', '2')
  assert.match(said, /localhost:\d+ leads to 192\.168\.\d+\.2:5000/)
})
after(() => own[Symbol.asyncDispose]())

/** One answer of three is enough: neighbours that were given up are looked for again, which takes a moment. */
const ping = (from: string, to: string) =>
  tryLab(['exec', '--name', own.name, from, '--', 'busybox', 'ping', '-c', '3', '-W', '2', to])

test('a cluster is ready when "up" ends', async () => {
  const nodes = await inHost('manager01', 'docker', 'node', 'ls', '--format', '{{.Hostname}} {{.Status}}')
  assert.deepEqual(nodes.trim().split('\n').sort(), ['manager01 Ready', 'worker01 Ready', 'worker02 Ready'])
})

test('"up" again changes nothing, and makes what is asked for beyond', async () => {
  const pids = async () => [...(await listed(own.name)).values()].map(({ pid }) => pid)
  const earlier = await pids()
  await lab('up', '--name', own.name)
  assert.deepEqual(await pids(), earlier)
  await lab('up', '--name', own.name, '--workers', '3')
  assert.equal((await listed(own.name)).get('worker03')?.swarm, 'worker')
  assert.equal((await inHost('worker01', 'getent', 'hosts', 'worker03')).split(/\s+/)[1], 'worker03')
})

test('a host has a name, a network, processes and folders of its own', async () => {
  assert.equal((await inHost('worker01', 'hostname')).trim(), 'worker01')
  assert.match(await inHost('worker01', 'ls', '/sys/class/net'), /^docker0$/m)
  assert.match(await inHost('worker01', 'cat', '/proc/1/cmdline'), /^docker-init/)
  const engineId = (host: string) => inHost(host, 'docker', 'info', '--format', '{{.ID}}')
  assert.notEqual(await engineId('worker01'), await engineId('worker02'))
  await inHost('worker01', 'sh', '-c', 'touch /run/here /etc/here /var/lib/mure/here')
  for (const folder of ['/run', '/etc', '/var/lib/mure'])
    assert.equal(
      (await tryLab(['exec', '--name', own.name, 'worker02', '--', 'ls', `${folder}/here`])).exitCode,
      2,
    )
})

test('"exec" is as good as being there: exit codes, signals, input, the working folder, no engine but the host\'s', async () => {
  const run = (...command: readonly string[]) =>
    tryLab(['exec', '--name', own.name, 'worker01', '--', ...command], 'in')
  assert.equal((await run('sh', '-c', 'exit 42')).exitCode, 42)
  assert.equal((await run('sh', '-c', 'kill -TERM $$')).exitCode, 143)
  assert.equal((await run('cat')).stdout, 'in')
  assert.equal((await run('pwd')).stdout.trim(), process.cwd())
  process.env['DOCKER_HOST'] = 'tcp://nowhere:1'
  assert.equal((await run('docker', 'info', '--format', '{{.Name}}')).stdout.trim(), 'worker01')
  delete process.env['DOCKER_HOST']
})

test('images come from the registry, which answers inside and outside', async () => {
  await inHost('worker01', 'docker', 'pull', '--quiet', 'registry:5000/web')
  const hello = 'registry:5000/busybox'
  assert.equal((await inHost('worker01', 'docker', 'run', '--rm', hello, 'echo', 'hello')).trim(), 'hello')
  const said = await lab('up', '--name', own.name)
  const port = /localhost:(\d+) leads to [\d.]+:5000/.exec(said)?.[1] ?? ''
  const answer = await fetch(`http://localhost:${port}/v2/_catalog`)
  assert.deepEqual(await answer.json(), { repositories: ['busybox', 'haproxy', 'nginx', 'registry', 'web'] })
})

test('ports lead from this machine to a host', async () => {
  await inHost(
    'worker01',
    'docker',
    'run',
    '--detach',
    '--name',
    'web',
    '--publish',
    '8080:8080',
    'registry:5000/web',
  )
  const said = await lab('forward', '--name', own.name, 'worker01', '8080')
  const port = /localhost:(\d+) leads to/.exec(said)?.[1] ?? ''
  const answer = await fetch(`http://localhost:${port}/`)
  assert.match(await answer.text(), /^Hello from /)
})

test('a pulled cable cuts a host off, and it is back when it is healed', async () => {
  assert.equal((await ping('manager01', 'worker02')).exitCode, 0)
  await operate('cut', 'worker02')
  assert.equal((await listed(own.name)).get('worker02')?.cable, 'pulled')
  assert.equal((await ping('manager01', 'worker02')).exitCode, 1)
  assert.equal((await listed(own.name)).get('worker02')?.power, 'on')
  await operate('heal', 'worker02')
  assert.equal((await ping('manager01', 'worker02')).exitCode, 0)
})

test('a power cut says goodbye to nobody, and the host comes back with its disk alone', async () => {
  await inHost('worker02', 'docker', 'pull', '--quiet', 'registry:5000/busybox')
  await inHost('worker02', 'sh', '-c', 'echo kept >/var/lib/mure/disk; echo lost >/run/memory')
  await inHost('worker02', 'iptables', '-N', 'LOST')
  const address = (await listed(own.name)).get('worker02')?.address ?? ''
  const connections = async () =>
    (await inHost('manager01', 'ss', '-Htn', 'state', 'established', 'dst', address)).split('\n').length - 1
  const established = await connections()
  assert.ok(established > 0)
  await operate('stop', 'worker02')
  assert.equal(await connections(), established)
  assert.deepEqual(
    { ...(await listed(own.name)).get('worker02'), address: '', lab: '' },
    {
      ...{ lab: '', host: 'worker02', role: 'worker', kind: 'engine', address: '', pid: null },
      ...{ power: 'off', cable: 'pulled', engine: 'down', swarm: null },
    },
  )
  const off = await tryLab(['exec', '--name', own.name, 'worker02', '--', 'true'])
  assert.equal(off.exitCode, 1)
  assert.match(off.stderr, /^mure: worker02 is off \(switch it on with: .*\)\n$/)
  await operate('start', 'worker02')
  assert.equal(await inHost('worker02', 'cat', '/var/lib/mure/disk'), 'kept\n')
  assert.match(await inHost('worker02', 'docker', 'images'), /busybox/)
  for (const gone of [
    ['cat', '/run/memory'],
    ['iptables', '-L', 'LOST'],
  ])
    assert.notEqual((await tryLab(['exec', '--name', own.name, 'worker02', '--', ...gone])).exitCode, 0)
  assert.equal((await ping('manager01', 'worker02')).exitCode, 0)
})

test('a daemon that dies is started again, and what it said outlives the host', async () => {
  const pid = async () => (await inHost('worker01', 'cat', '/run/dockerd.pid')).trim()
  const earlier = await pid()
  await inHost('worker01', 'kill', '-9', earlier)
  await inHost('worker01', 'sh', '-c', 'until docker version >/dev/null 2>&1; do sleep 0.1; done')
  assert.notEqual(await pid(), earlier)
  await operate('stop', 'worker01')
  assert.notEqual(await lab('logs', '--name', own.name, 'worker01', 'dockerd'), '')
})

test('a daemon that cannot stay up is named, with what it said', async () => {
  const config = '/etc/docker/daemon.json'
  await inHost('worker03', 'sh', '-c', `echo "{" >${config}; kill -9 $(cat /run/dockerd.pid)`)
  const failed = await tryLab(['up', '--name', own.name])
  assert.equal(failed.exitCode, 1)
  assert.match(failed.stderr, /^mure: worker03: dockerd does not stay up: .*daemon\.json/m)
  await operate('stop', 'worker03')
})

test('what does not exist is named', async () => {
  const noHost = await tryLab(['stop', '--name', own.name, 'worker09'])
  assert.match(noHost.stderr, /has no host "worker09"; it has registry, manager01, worker01/)
  assert.equal(noHost.exitCode, 1)
  const noLab = await tryLab(['stop', '--name', 'nosuchlab', 'worker01'])
  assert.match(noLab.stderr, /^mure: no lab "nosuchlab"/)
  assert.equal((await tryLab(['up', '--name', '../x'])).exitCode, 2)
  assert.equal((await tryLab(['up', '--workers', 'many'])).exitCode, 2)
})
