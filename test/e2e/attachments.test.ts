import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
const busybox = 'registry:5000/busybox:latest'
const sleeping = [busybox, 'sleep', '100000']

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eattach', managers: 1, workers: 1 })
  await cluster.docker(
    'manager01',
    ...['network', 'create', '-d', 'overlay', '--attachable', '--subnet', '10.77.0.0/24', 'open'],
  )
})
after(() => cluster[Symbol.asyncDispose]())

const manager = (...args: string[]) => cluster.docker('manager01', ...args)
const worker = (...args: string[]) => cluster.docker('worker01', ...args)

const answers = (text: string): string[] =>
  [...text.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1] ?? '')
const lookUp = (host: string, container: string, name: string) =>
  cluster.docker(host, 'exec', container, 'sh', '-c', `nslookup ${name} 2>&1 || true`).then(answers)
const addressOn = (host: string, container: string) =>
  cluster.docker(host, 'inspect', '-f', '{{.NetworkSettings.Networks.open.IPAddress}}', container)

test('a plain container has the address, the aliases and the names it asked for, on every host', async () => {
  await worker(
    ...['run', '-d', '--name', 'far', '--hostname', 'farhost', '--network', 'open', '--ip', '10.77.0.50'],
    ...['--network-alias', 'faraway', ...sleeping],
  )
  await manager('run', '-d', '--name', 'near', '--network', 'open', ...sleeping)
  const id = await worker('ps', '-q', '--filter', 'name=far')
  for (const name of ['far', 'farhost', 'faraway', 'far.open', id])
    await cluster.until(`near to find ${name}`, async () => {
      const found = await lookUp('manager01', 'near', name)
      return found.join() === '10.77.0.50' || found.join()
    })
  assert.match(await manager('exec', 'near', 'ping', '-c', '1', '-W', '3', 'far'), / 0% packet loss/)
  assert.match(await manager('exec', 'near', 'nslookup', '10.77.0.50'), /name = far\.open/)
})

test('a running container is connected, found, and disconnected; its address is free at once', async () => {
  await worker('run', '-d', '--name', 'later', ...sleeping)
  await worker('network', 'connect', '--ip', '10.77.0.60', '--alias', 'latecomer', 'open', 'later')
  assert.equal(await addressOn('worker01', 'later'), '10.77.0.60')
  await cluster.until('the alias to be found', async () => {
    const found = await lookUp('manager01', 'near', 'latecomer')
    return found.join() === '10.77.0.60' || found.join()
  })
  // It has only the name servers that it was born with.
  assert.deepEqual(await lookUp('worker01', 'later', 'near'), [await addressOn('manager01', 'near')])
  assert.match(await worker('exec', 'later', 'ping', '-c', '1', '-W', '3', 'near'), / 0% packet loss/)
  const containers = await worker(
    'network',
    'inspect',
    '-f',
    '{{range .Containers}}{{.Name}} {{end}}',
    'open',
  )
  assert.match(containers, /later/)
  assert.match(
    await cluster.refused('worker01', 'network', 'connect', 'open', 'later'),
    /already attached to network/,
  )
  await worker('network', 'disconnect', 'open', 'later')
  await manager('run', '-d', '--name', 'heir', '--network', 'open', '--ip', '10.77.0.60', ...sleeping)
  assert.equal(await addressOn('manager01', 'heir'), '10.77.0.60')
  await manager('rm', '-f', 'heir')
  await cluster.until('the address of a removed container to be free', () =>
    manager('run', '--rm', '--network', 'open', '--ip', '10.77.0.60', busybox, 'true').then(() => true),
  )
})

test('a container that does not run yet is connected once more, with other aliases', async () => {
  await manager('create', '--name', 'unborn', '--network', 'open', ...sleeping)
  await manager('network', 'connect', '--alias', 'newborn', 'open', 'unborn')
  await manager('start', 'unborn')
  const own = await addressOn('manager01', 'unborn')
  await cluster.until('the alias to be found', async () => {
    const found = await lookUp('worker01', 'far', 'newborn')
    return found.join() === own || found.join()
  })
  await manager('rm', '-f', 'unborn')
})

test('what cannot be is refused in Docker’s words', async () => {
  await manager('network', 'create', '-d', 'overlay', 'closed')
  await manager('run', '-d', '--name', 'plain', ...sleeping)
  const refusals: [string, string[], RegExp][] = [
    ['manager01', ['network', 'connect', 'closed', 'plain'], /not manually attachable/],
    ['manager01', ['network', 'connect', 'nowhere', 'plain'], /network nowhere not found/],
    ['manager01', ['network', 'connect', 'open', 'nobody'], /No such container: nobody/],
    ['manager01', ['network', 'connect', '--ip', '10.77.0.50', 'open', 'plain'], /Address already in use/],
    ['manager01', ['network', 'connect', '--ip', '10.99.0.5', 'open', 'plain'], /does not belong/],
    ['worker01', ['network', 'rm', 'open'], /not a swarm manager/],
    ['manager01', ['network', 'rm', 'open'], /in use by task/],
    ['worker01', ['network', 'create', '-d', 'overlay', 'x'], /not a swarm manager/],
  ]
  for (const [host, args, reason] of refusals) assert.match(await cluster.refused(host, ...args), reason)
  await manager('node', 'update', '--availability', 'drain', 'worker01')
  assert.match(
    await cluster.refused('worker01', 'run', '--rm', '--network', 'open', busybox, 'true'),
    /attaching to network failed.* not available for new tasks/,
  )
  await manager('node', 'update', '--availability', 'active', 'worker01')
})

test('inspect shows who is there; lists are filtered; prune spares what is used', async () => {
  await manager(
    ...['service', 'create', '-q', '--name', 'web', '--network', 'open', '--replicas', '2', webImage],
  )
  const [seen] = JSON.parse(await manager('network', 'inspect', '--verbose', 'open')) as [
    {
      Containers: Record<string, { Name: string }>
      Peers: { IP: string }[]
      Services: Record<
        string,
        { VIP: string; Tasks: { Name: string; EndpointIP: string; Info: Record<string, string> }[] }
      >
    },
  ]
  assert.ok(Object.values(seen.Containers).some(({ Name }) => Name === 'near'))
  assert.equal(seen.Peers.length, 2)
  const { web, '': plain } = seen.Services
  assert.match(web?.VIP ?? '', /^10\.77\.0\./)
  assert.equal(web?.Tasks.length, 2)
  assert.ok(plain?.Tasks.some(({ Name, EndpointIP }) => Name === 'far' && EndpointIP === '10.77.0.50'))
  assert.match(web?.Tasks[0]?.Info['Host IP'] ?? '', /^\d+\./)
  assert.equal(seen.Containers['lb-open']?.Name, 'open-endpoint')
  const id = await manager('network', 'inspect', '-f', '{{.Id}}', 'open')
  const idOf = ['inspect', '-f', '{{.NetworkSettings.Networks.open.NetworkID}}']
  assert.equal(await worker(...idOf, 'far'), id)
  const task = await manager('ps', '-q', '--no-trunc', '--filter', `network=${id}`, '--filter', 'name=web.')
  assert.notEqual(task, '')
  assert.equal(await manager(...idOf, task), id)
  const whether = (isTask: boolean) =>
    manager('ps', '--format', '{{.Names}}', '--filter', `is-task=${String(isTask)}`)
  assert.match(await whether(true), /^web\.\d\.\w+$/)
  assert.doesNotMatch(await whether(false), /web\./)
  assert.match(await whether(false), /near/)
  const listed = (...filters: string[]) =>
    manager('network', 'ls', '--format', '{{.Name}}', ...filters.flatMap((one) => ['--filter', one])).then(
      (text) => text.split('\n').sort(),
    )
  assert.deepEqual(await listed('driver=overlay', 'name=open'), ['open'])
  assert.deepEqual(await listed('scope=swarm'), ['closed', 'ingress', 'open'])
  assert.match(await worker('network', 'ls', '--filter', 'scope=swarm', '--format', '{{.Name}}'), /open/)
  await manager('service', 'rm', 'web')
  assert.match(await manager('network', 'prune', '-f'), /closed/)
  assert.deepEqual(await listed('scope=swarm'), ['ingress', 'open'])
})

test("a network of the engine's own keeps its name", async () => {
  await worker('network', 'create', '--subnet', '172.30.7.0/24', 'same')
  await manager('network', 'create', '-d', 'overlay', 'same')
  await manager(
    ...['service', 'create', '-q', '--name', 'both', '--network', 'same', '--mode', 'global', ...sleeping],
  )
  await worker('run', '--rm', '--network', 'same', busybox, 'true')
  await manager('service', 'rm', 'both')
})

test('a service may be on the network of its host; name servers of its own leave a container the names of ours', async () => {
  await manager(
    ...['service', 'create', '-q', '--name', 'bare', '--network', 'host'],
    ...['--constraint', 'node.hostname==worker01', ...sleeping],
  )
  const label = 'label=com.docker.swarm.service.name=bare'
  const id = await worker('ps', '-q', '--filter', label)
  assert.equal(await worker('inspect', '-f', '{{.HostConfig.NetworkMode}}', id), 'host')
  await manager('service', 'rm', 'bare')
  await worker('run', '-d', '--name', 'choosy', '--network', 'open', '--dns', '192.0.2.1', ...sleeping)
  assert.deepEqual(await lookUp('worker01', 'choosy', 'near'), [await addressOn('manager01', 'near')])
  await worker('rm', '-f', 'choosy')
})

test('a network of a driver that each host has by itself is made where a task needs it, and goes with the last', async () => {
  const on = async (host: string, name: string) =>
    await cluster.docker(
      host,
      'network',
      'ls',
      '--filter',
      `name=^${name}$`,
      '--format',
      '{{.Driver}} {{.Scope}}',
    )
  for (const host of ['manager01', 'worker01'])
    await cluster.docker(
      host,
      'network',
      'create',
      '--config-only',
      '--subnet',
      '10.66.0.0/24',
      '-o',
      'parent=eth0',
      'lan-config',
    )
  await manager(
    'network',
    'create',
    '-d',
    'macvlan',
    '--scope',
    'swarm',
    '--attachable',
    '--config-from',
    'lan-config',
    'lan',
  )
  await manager(
    ...['service', 'create', '--quiet', '--mode', 'global', '--name', 'both'],
    ...['--network', 'lan', '--network', 'open', ...sleeping],
  )
  for (const host of ['manager01', 'worker01']) {
    assert.equal(await on(host, 'lan'), 'macvlan swarm')
    const [container = ''] = (await cluster.docker(host, 'ps', '-q', '--filter', 'name=both')).split('\n')
    assert.match(await cluster.docker(host, 'exec', container, 'ip', '-4', 'addr'), /inet 10\.66\.0\.\d+\/24/)
    assert.equal((await lookUp(host, container, 'tasks.both')).length, 2)
  }
  assert.match(
    await worker('run', '--rm', '--network', 'lan', busybox, 'ip', 'addr'),
    /inet 10\.66\.0\.\d+\/24/,
  )
  await manager('service', 'rm', 'both')
  await cluster.until('the network to be gone from the worker', async () => {
    const found = await on('worker01', 'lan')
    return found === '' || found
  })
  await manager('network', 'rm', 'lan')
  for (const host of ['manager01', 'worker01']) await cluster.docker(host, 'network', 'rm', 'lan-config')
})

test('a container that is always restarted is back on its network after its host was off', async () => {
  await worker('run', '-d', '--name', 'always', '--restart', 'always', '--network', 'open', ...sleeping)
  const address = await addressOn('worker01', 'always')
  await cluster.powerOff('worker01')
  await cluster.start('worker01')
  await cluster.until('the container to run again', async () => {
    const state = await worker('inspect', '-f', '{{.State.Running}} {{.State.Error}}', 'always')
    return state.startsWith('true') || state
  })
  assert.equal(await addressOn('worker01', 'always'), address)
  await cluster.until('it to find another', async () => {
    const found = await lookUp('worker01', 'always', 'near')
    return found.length === 1 || found.join()
  })
  assert.match(await worker('exec', 'always', 'ping', '-c', '1', '-W', '3', 'near'), / 0% packet loss/)
  await worker('rm', '-f', 'always')
})

test('the network of the routing mesh is replaced by another', async () => {
  const publish = ['service', 'create', '-q', '--name', 'pub', '-p', '8088:8080', webImage]
  await manager(...publish)
  const remove = () => cluster.run('manager01', 'sh', '-c', 'yes | docker network rm ingress 2>&1 || true')
  assert.match(await remove(), /cannot be removed because service .* depends on it/)
  await manager('service', 'rm', 'pub')
  await cluster.until('the old one to go', async () => {
    await remove()
    return !/ingress/.test(await manager('network', 'ls', '--format', '{{.Name}}'))
  })
  assert.match(await cluster.refused('manager01', ...publish), /no ingress network is present/)
  await manager('network', 'create', '-d', 'overlay', '--ingress', '--subnet', '10.11.0.0/24', 'mesh')
  await manager(...publish)
  const virtual = '{{range .Endpoint.VirtualIPs}}{{.Addr}} {{end}}'
  assert.match(await manager('service', 'inspect', '-f', virtual, 'pub'), /10\.11\.0\./)
  for (const host of ['manager01', 'worker01'])
    await cluster.until(`the port to answer on ${host}`, async () => {
      const said = await cluster.run(host, 'sh', '-c', 'curl -sS -m 2 http://127.0.0.1:8088/ 2>&1 || true')
      return said.includes('Hello') || said
    })
  await manager('service', 'rm', 'pub')
})

test('docker-compose 1.29 brings a project up on the network and takes it down', async () => {
  const file = [
    'version: "3.7"',
    'services:',
    `  app: { image: "${busybox}", command: sleep 1000, networks: { open: { aliases: [composed] } } }`,
    'networks: { open: { external: true } }',
  ].join('\n')
  const compose = (what: string) =>
    cluster.run(
      'worker01',
      ...[
        'sh',
        '-c',
        `mkdir -p /run/c && cd /run/c && printf '%s' "$0" > docker-compose.yml && ${what} 2>&1`,
      ],
      file,
    )
  await compose('docker-compose -p shop up -d')
  await cluster.until('the composed service to be found', async () => {
    const found = await lookUp('manager01', 'near', 'composed')
    return found.length === 1 || found.join()
  })
  await compose('docker-compose -p shop down -t 0')
  await worker('rm', '-f', 'far', 'later')
  await manager('rm', '-f', 'near', 'plain')
  await cluster.until('the network to be free', () => manager('network', 'rm', 'open').then(() => true))
})

test('a host that leaves takes its containers off the networks of the cluster, and they can be stopped', async () => {
  await manager('network', 'create', '-d', 'overlay', '--attachable', 'left')
  await worker('run', '-d', '--name', 'stays', '--network', 'left', ...sleeping)
  await worker('swarm', 'leave')
  assert.equal(await worker('inspect', '-f', '{{json .NetworkSettings.Networks}}', 'stays'), '{}')
  assert.doesNotMatch(await worker('network', 'ls', '--format', '{{.Name}}'), /left/)
  const stopping = performance.now()
  await worker('rm', '-f', 'stays')
  assert.ok(performance.now() - stopping < 5_000)
})
