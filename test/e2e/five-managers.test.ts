import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2efive', managers: 5, workers: 0 })
})
after(() => cluster[Symbol.asyncDispose]())

const hosts = [1, 2, 3, 4, 5].map((number) => `manager0${String(number)}`)

test('two of five managers die at once, the leader among them: the rest goes on, and takes them back', async () => {
  await cluster.docker('manager01', 'service', 'create', '-dq', '--name', 'web', '--replicas', '5', webImage)
  await cluster.untilRunning('manager01', 'web', 5)
  const leader = await cluster.leader('manager01')
  const dead = [leader, hosts.find((host) => host !== leader) ?? '']
  const [witness = ''] = hosts.filter((host) => !dead.includes(host))
  await Promise.all(dead.map((host) => cluster.powerOff(host)))
  await cluster.until('writes to go on', () =>
    cluster.docker(witness, 'service', 'update', '-dq', '--label-add', 'lost=two', 'web').then(() => true),
  )
  await cluster.until('all tasks to run on the hosts that live', async () => {
    const at = await cluster.runningOn(witness, 'web')
    return (at.length === 5 && !at.some((host) => dead.includes(host))) || at.join(' ')
  })
  assert.ok(hosts.includes(await cluster.leader(witness)))
  await Promise.all(dead.map((host) => cluster.startManager(host)))
  await cluster.until('all five to be reachable', async () => {
    const nodes = await cluster.nodes(witness)
    const managers = hosts.map((host) => nodes.get(host)?.manager ?? '')
    return (
      managers.filter((one) => one === 'Leader' || one === 'Reachable').length === 5 || managers.join(' ')
    )
  })
  // What was acknowledged without them is what they show.
  const label = '{{index .Spec.Labels "lost"}}'
  for (const host of dead)
    assert.equal(await cluster.docker(host, 'service', 'inspect', '-f', label, 'web'), 'two')
})
