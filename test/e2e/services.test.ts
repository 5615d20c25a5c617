import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eservices', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

const create = (...args: string[]) => cluster.docker('manager01', 'service', 'create', '--quiet', ...args)

test('a replicated service is spread evenly, scaled up and down, and removed with its containers', async () => {
  await create('--name', 'web', '--replicas', '6', webImage)
  const nodes = await cluster.runningOn('manager01', 'web')
  assert.deepEqual(nodes.sort(), ['manager01', 'manager01', 'worker01', 'worker01', 'worker02', 'worker02'])
  await cluster.docker('manager01', 'service', 'scale', 'web=3')
  await cluster.untilRunning('manager01', 'web', 3)
  assert.match(await cluster.docker('manager01', 'service', 'ls'), /web +replicated +3\/3/)
  await cluster.docker('manager01', 'service', 'rm', 'web')
  await cluster.until('the containers to be gone', async () => {
    const left = await cluster.docker('worker01', 'ps', '-aq')
    return left === '' || left
  })
})

test('a global service runs once on each node, and where its constraint allows', async () => {
  await create('--name', 'everywhere', '--mode', 'global', webImage)
  assert.deepEqual((await cluster.runningOn('manager01', 'everywhere')).sort(), [
    'manager01',
    'worker01',
    'worker02',
  ])
  await create('--name', 'workers', '--mode', 'global', '--constraint', 'node.role==worker', webImage)
  assert.deepEqual((await cluster.runningOn('manager01', 'workers')).sort(), ['worker01', 'worker02'])
  await cluster.docker('manager01', 'service', 'rm', 'everywhere', 'workers')
})

test('what finds no node says why', async () => {
  await create('--detach', '--name', 'nowhere', '--constraint', 'node.labels.disk==ssd', webImage)
  await cluster.until('the reason to be shown', async () => {
    const text = await cluster.docker(
      'manager01',
      'service',
      'ps',
      '--no-trunc',
      '--format',
      '{{.Error}}',
      'nowhere',
    )
    return text.includes('no suitable node (scheduling constraints not satisfied on 3 nodes)') || text
  })
  await cluster.docker('manager01', 'node', 'update', '--label-add', 'disk=ssd', 'worker02')
  await cluster.untilRunning('manager01', 'nowhere', 1)
  assert.deepEqual(await cluster.runningOn('manager01', 'nowhere'), ['worker02'])
  await cluster.docker('manager01', 'service', 'rm', 'nowhere')
})

test('environment, placeholders and a host port reach the container', async () => {
  await create(
    ...[
      '--name',
      'env',
      '--constraint',
      'node.hostname==worker01',
      '--publish',
      'mode=host,target=8080,published=8090',
    ],
    ...['--env', 'WHERE={{.Node.Hostname}}', '--env', 'SLOT={{.Task.Slot}}', webImage],
  )
  const id = await cluster.docker(
    'worker01',
    'ps',
    '-q',
    '--filter',
    'label=com.docker.swarm.service.name=env',
  )
  const environment = await cluster.docker('worker01', 'exec', id, 'env')
  assert.match(environment, /WHERE=worker01/)
  assert.match(environment, /SLOT=1/)
  assert.match(
    await cluster.run('worker02', 'busybox', 'wget', '-qO-', 'http://worker01:8090/'),
    /^Hello from/,
  )
  await cluster.docker('manager01', 'service', 'rm', 'env')
})

test('drain moves tasks away, pause keeps them, active takes new ones', async () => {
  await create('--name', 'moved', '--replicas', '4', webImage)
  await cluster.docker('manager01', 'node', 'update', '--availability', 'drain', 'worker01')
  await cluster.until('no task to be on worker01', async () => {
    const nodes = await cluster.runningOn('manager01', 'moved')
    return (nodes.length === 4 && !nodes.includes('worker01')) || nodes.join(' ')
  })
  await cluster.docker('manager01', 'node', 'update', '--availability', 'pause', 'worker02')
  const kept = (await cluster.runningOn('manager01', 'moved')).filter((node) => node === 'worker02').length
  await cluster.docker('manager01', 'service', 'scale', 'moved=6')
  const now = (await cluster.runningOn('manager01', 'moved')).filter((node) => node === 'worker02').length
  assert.equal(now, kept)
  for (const node of ['worker01', 'worker02'])
    await cluster.docker('manager01', 'node', 'update', '--availability', 'active', node)
  await cluster.docker('manager01', 'service', 'rm', 'moved')
})

test('a container that fails is replaced by its policy, with its exit code told', async () => {
  await create(
    '--detach',
    '--name',
    'failing',
    '--restart-max-attempts',
    '2',
    '--restart-delay',
    '100ms',
    webImage,
    'sh',
    '-c',
    'exit 3',
  )
  await cluster.until('three failures, and no more', async () => {
    const text = await cluster.docker(
      'manager01',
      'service',
      'ps',
      '--format',
      '{{.CurrentState}}|{{.Error}}',
      'failing',
    )
    const failed = text
      .split('\n')
      .filter((line) => line.startsWith('Failed') && line.includes('task: non-zero exit (3)'))
    return failed.length === 3 || text
  })
  await cluster.docker('manager01', 'service', 'rm', 'failing')
})

test('an image that does not exist is said', async () => {
  await create('--detach', '--name', 'noimage', '--restart-condition', 'none', 'registry:5000/nope:latest')
  await cluster.until('the rejection to be shown', async () => {
    const text = await cluster.docker(
      'manager01',
      'service',
      'ps',
      '--no-trunc',
      '--format',
      '{{.CurrentState}}|{{.Error}}',
      'noimage',
    )
    return /^Rejected.*(manifest unknown|not found)/m.test(text) || text
  })
  await cluster.docker('manager01', 'service', 'rm', 'noimage')
})

test("restarts of the daemons leave the tasks' containers alone", async () => {
  await create('--name', 'steady', '--replicas', '3', webImage)
  const ids = async () => {
    const all = ['manager01', 'worker01', 'worker02'].map((host) =>
      cluster.docker(host, 'ps', '-q', '--filter', 'label=com.docker.swarm.service.name=steady'),
    )
    return (await Promise.all(all)).join(' ')
  }
  const before = await ids()
  // Away for longer than a host that is silent is waited for.
  const slowly =
    'm=$(pgrep -f "[c]li/main.ts daemon"); k=$(ps -o ppid= -p $m); kill -STOP $k; kill $m; sleep 4; kill -CONT $k'
  for (const host of ['worker01', 'manager01']) {
    await cluster.run(host, 'sh', '-c', slowly)
    await cluster.until(`${host} to answer`, async () => (await cluster.docker(host, 'version')) !== '')
  }
  await cluster.run('worker02', 'sh', '-c', 'kill -9 $(pgrep -x dockerd)')
  await cluster.until('the engine to answer', async () => (await cluster.docker('worker02', 'ps')) !== '')
  await cluster.untilRunning('manager01', 'steady', 3)
  assert.equal(await ids(), before)
  await cluster.docker('manager01', 'service', 'rm', 'steady')
})

test("refusals have Docker's words", async () => {
  await create('--detach', '--name', 'taken', '--replicas', '0', webImage)
  const again = await cluster.refused('manager01', 'service', 'create', '--name', 'taken', webImage)
  assert.match(
    again,
    /rpc error: code = AlreadyExists desc = name conflicts with an existing object: service taken already exists/,
  )
  assert.match(await cluster.refused('manager01', 'service', 'inspect', 'nope'), /no such service: nope/)
  assert.match(
    await cluster.refused('manager01', 'service', 'create', '--constraint', 'node.role', webImage),
    /constraint expected one operator from ==, !=/,
  )
  assert.match(
    await cluster.refused('worker01', 'node', 'ls'),
    /This node is not a swarm manager\. Worker nodes can't be used to view or modify cluster state/,
  )
  await cluster.docker('manager01', 'service', 'rm', 'taken')
})
