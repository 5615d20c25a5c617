import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eforce', managers: 3, workers: 1 })
})
after(() => cluster[Symbol.asyncDispose]())

test('one manager goes on alone with everything, and a lost one that returns is a worker', async () => {
  const service = ['service', 'create', '-q', '--name', 'web', '--replicas', '4', webImage]
  await cluster.docker('manager01', ...service)
  const running = await cluster.docker('worker01', 'ps', '-q')
  await Promise.all([cluster.powerOff('manager02'), cluster.powerOff('manager03')])
  assert.match(
    await cluster.refused('manager01', 'service', 'scale', '-d', 'web=5'),
    /does not have a leader|waited/,
  )
  const address = cluster.lab.hosts.find(({ name }) => name === 'manager01')?.address ?? ''
  await cluster.docker('manager01', 'swarm', 'init', '--force-new-cluster', '--advertise-addr', address)
  await cluster.docker('manager01', 'service', 'scale', '-d', 'web=5')
  await cluster.until('five tasks on the hosts that are left', async () => {
    const nodes = await cluster.runningOn('manager01', 'web')
    return (nodes.length === 5 && nodes.every((node) => /manager01|worker01/.test(node))) || nodes.join(' ')
  })
  const now = await cluster.docker('worker01', 'ps', '-q')
  assert.ok(running.split('\n').every((id) => now.includes(id)))
  await cluster.start('manager02')
  await cluster.until('manager02 to be a worker', async () => {
    const node = (await cluster.nodes('manager01')).get('manager02')
    const isManager = await cluster.docker('manager02', 'info', '--format', '{{.Swarm.ControlAvailable}}')
    return (node?.status === 'Ready' && node.manager === '' && isManager === 'false') || JSON.stringify(node)
  })
  await cluster.docker('manager01', 'node', 'promote', 'manager02')
  await cluster.until('manager02 to be a manager again', async () => {
    return (await cluster.nodes('manager01')).get('manager02')?.manager === 'Reachable'
  })
})
