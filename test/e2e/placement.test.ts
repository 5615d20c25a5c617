import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'
import { root } from '#cli/tool.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eplacement', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

const docker = (...args: string[]) => cluster.docker('manager01', ...args)
const mure = (...args: string[]) => cluster.run('manager01', `${root}/mure`, ...args)
const create = (...args: string[]) => docker('service', 'create', '--quiet', ...args)

test('mure explain tells what each node says, as docker service ps sums it up', async () => {
  await docker('node', 'update', '--label-add', 'disk=ssd', 'worker01')
  await create(
    ...['--detach', '--name', 'picky', '--constraint', 'node.labels.disk==ssd'],
    ...['--constraint', 'node.role==worker', '--reserve-memory', '4000G', webImage],
  )
  await cluster.until('the sentence', async () => {
    const text = await docker('service', 'ps', '--no-trunc', '--format', '{{.Error}}', 'picky')
    return /^"?no suitable node \(insufficient resources on 3 nodes\)"?$/.test(text) || text
  })
  const text = await mure('explain', 'picky')
  assert.match(text, /picky\.1 .*pending +- +no suitable node \(insufficient resources on 3 nodes\)/)
  assert.match(text, /worker01 +no: resources +4096000 MiB reserved, \d+ MiB free/)
  await docker('service', 'update', '--detach', '--reserve-memory', '0', 'picky')
  await cluster.untilRunning('manager01', 'picky', 1)
  const placed = await mure('explain', 'picky.1')
  assert.match(placed, /picky\.1 .*running +worker01/)
  assert.match(placed, /worker01 +place 1 +0 of this service, \d+ in all/)
  assert.match(placed, /manager01 +no: constraints +node\.labels\.disk==ssd, node\.role==worker/)
  await assert.rejects(mure('explain', 'nope'), /no such task or service: nope/)
  await docker('service', 'rm', 'picky')
})

test('settings of the cluster: shown, refused where wrong, kept by docker swarm update', async () => {
  assert.match(await mure('cluster', 'show'), /strategy +spread/)
  await assert.rejects(mure('cluster', 'set', 'strategy=heavy'), /strategy must be spread, binpack, random/)
  await mure('cluster', 'set', 'strategy=binpack', 'drain=stop-first')
  await docker('swarm', 'update', '--task-history-limit', '4')
  const shown = await mure('cluster', 'show')
  assert.match(shown, /strategy +binpack/)
  assert.match(shown, /drain +stop-first/)
  await create('--name', 'packed', '--replicas', '4', '--reserve-cpu', '0.01', webImage)
  assert.equal(new Set(await cluster.runningOn('manager01', 'packed')).size, 1)
  await create('--name', 'even', '--replicas', '3', '--label', 'mure.strategy=spread', webImage)
  assert.equal(new Set(await cluster.runningOn('manager01', 'even')).size, 3)
  const refused = await cluster.refused(
    'manager01',
    ...['service', 'create', '--label', 'mure.strategy=x', webImage],
  )
  assert.match(refused, /"x" is not one of spread, binpack, random/)
  await mure('cluster', 'set', 'strategy=spread', 'drain=start-first')
  await docker('service', 'rm', 'packed', 'even')
})

test('a rebalance fills a node that came back, loses no request, and does nothing twice', async () => {
  await create(
    ...['--name', 'web', '--replicas', '6', '--publish', '8095:8080'],
    // A request that is being answered is answered: the image itself would be killed at once.
    ...['--stop-signal', 'SIGTERM', '--stop-grace-period', '1s', webImage],
  )
  const counts = async () => {
    const nodes = await cluster.runningOn('manager01', 'web')
    return ['manager01', 'worker01', 'worker02'].map((host) => nodes.filter((node) => node === host).length)
  }
  const comeBack = async () => {
    await docker('node', 'update', '--availability', 'drain', 'worker02')
    await cluster.untilRunning('manager01', 'web', 6, 'worker02')
    await cluster.until('worker02 to be empty', async () => (await counts())[2] === 0)
    await docker('node', 'update', '--availability', 'active', 'worker02')
  }
  const even = async () => {
    const seen = await counts()
    return seen.every((count) => count === 2) || seen.join(' ')
  }
  await comeBack()
  assert.match(
    await mure('rebalance', '--dry-run'),
    /web\.\d +(manager|worker)01 +worker02[^]*2 tasks would move/,
  )
  assert.equal((await counts())[2], 0)
  const requests = cluster.run(
    'manager01',
    ...[
      'sh',
      '-c',
      'while [ ! -e /run/enough ]; do curl -sS -m 5 http://worker01:8095/ 2>&1 || echo LOST; done',
    ],
  )
  await mure('rebalance')
  await cluster.until('the tasks to be spread', even)
  await cluster.until('the old tasks to be gone', async () => {
    const all = await docker('service', 'ps', '--format', '{{.DesiredState}} {{.CurrentState}}', 'web')
    return !/^Shutdown Running/m.test(all) || all
  })
  await cluster.run('manager01', 'touch', '/run/enough')
  const answers = await requests
  assert.match(answers, /Hello from/)
  assert.doesNotMatch(answers, /LOST/)
  assert.match(await mure('rebalance'), /Nothing is to gain/)
  await mure('cluster', 'set', 'rebalance=on')
  await comeBack()
  await cluster.until('the tasks to be spread by themselves', even)
  await mure('cluster', 'set', 'rebalance=off')
  await docker('service', 'rm', 'web')
})

test('mure plan tells what would happen, does none of it, and it then happens so', async () => {
  await create('--name', 'api', '--replicas', '3', '--constraint', 'node.role==worker', webImage)
  await create('--name', 'fixed', '--constraint', 'node.hostname==worker01', webImage)
  const listed = () =>
    docker('service', 'ps', '--format', '{{.ID}} {{.Node}} {{.DesiredState}}', 'api', 'fixed')
  const before = await listed()
  const drained = await mure('plan', 'drain', 'worker01')
  assert.match(drained, /^fixed\.1 +waits +worker01 +- +no suitable node/m)
  assert.match(drained, /^api\.\d +moves +worker01 +worker02/m)
  assert.match(await mure('plan', 'lose', 'worker02'), /^api\.\d +moves +worker02 +worker01/m)
  const scaled = await mure('plan', 'scale', 'api=5')
  assert.match(scaled, /^api\.5 +starts +- +worker0/m)
  assert.match(scaled, /2 start; \d+ stay as they are\. This is a plan: nothing was done\./)
  await cluster.run(
    'manager01',
    ...[
      'sh',
      '-c',
      `printf 'services:\\n  front:\\n    image: ${webImage}\\n    deploy: {replicas: 2}\\n' > /tmp/plan.yml`,
    ],
  )
  const deployed = await mure('plan', 'deploy', '-c', '/tmp/plan.yml', 'shop')
  assert.match(deployed, /service shop_front is created/)
  assert.match(deployed, /network shop_default is created/)
  assert.match(deployed, /^shop_front\.2 +starts/m)
  const updated = await mure(
    'plan',
    '--format',
    'json',
    '--',
    'service',
    'update',
    '--detach',
    '--force',
    'api',
  )
  const { tasks } = JSON.parse(updated) as { tasks: { task: string; what: string }[] }
  assert.deepEqual(
    tasks.map(({ task }) => task),
    ['api.1', 'api.2', 'api.3'],
  )
  await assert.rejects(mure('plan', '--', 'run', 'busybox'), /this is a plan/)
  await assert.rejects(mure('plan', 'scale', 'api=-1'), /is not SERVICE=REPLICAS/)
  assert.equal(await listed(), before)
  assert.equal(await docker('stack', 'ls', '--format', '{{.Name}}'), '')
  await docker('node', 'update', '--availability', 'drain', 'worker01')
  await cluster.until('what was planned', async () => {
    const reasons = await docker('service', 'ps', '--no-trunc', '--format', '{{.Error}}', 'fixed')
    const nodes = new Set(await cluster.runningOn('manager01', 'api'))
    return (reasons.includes('no suitable node') && nodes.size === 1 && nodes.has('worker02')) || reasons
  })
  await docker('node', 'update', '--availability', 'active', 'worker01')
  await docker('service', 'rm', 'api', 'fixed')
})
