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
