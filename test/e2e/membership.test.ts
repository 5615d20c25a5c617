import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2emembers', managers: 3, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

test("a dead worker's tasks run elsewhere, and it is used again when it comes back", async () => {
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '--quiet',
    '--name',
    'web',
    '--replicas',
    '5',
    webImage,
  )
  await cluster.powerOff('worker01')
  await cluster.until(
    'worker01 to be Down',
    async () => (await cluster.nodes('manager02')).get('worker01')?.status === 'Down',
  )
  await cluster.untilRunning('manager02', 'web', 5, 'worker01')
  await cluster.start('worker01')
  await cluster.until(
    'worker01 to be Ready',
    async () => (await cluster.nodes('manager02')).get('worker01')?.status === 'Ready',
  )
  await cluster.docker('manager01', 'service', 'rm', 'web')
})

test('a pulled cable: the tasks move, and after healing there is no duplicate', async () => {
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '--quiet',
    '--name',
    'cut',
    '--replicas',
    '5',
    webImage,
  )
  await cluster.cable('worker02', false)
  await cluster.until(
    'worker02 to be Down',
    async () => (await cluster.nodes('manager01')).get('worker02')?.status === 'Down',
  )
  await cluster.untilRunning('manager01', 'cut', 5, 'worker02')
  await cluster.cable('worker02', true)
  await cluster.until('worker02 to have stopped what moved away', async () => {
    const left = await cluster.docker(
      'worker02',
      'ps',
      '-q',
      '--filter',
      'label=com.docker.swarm.service.name=cut',
    )
    return left === '' || left
  })
  await cluster.docker('manager01', 'service', 'rm', 'cut')
})

test('the leader dies: writes go on, no task is disturbed, nothing acknowledged is lost', async () => {
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '--quiet',
    '--name',
    'kept',
    '--replicas',
    '2',
    '--constraint',
    'node.role==worker',
    webImage,
  )
  const before = await cluster.docker('worker01', 'ps', '-q')
  const leader = await cluster.leader('manager01')
  const other = ['manager01', 'manager02', 'manager03'].find((host) => host !== leader) ?? ''
  await cluster.docker(other, 'config', 'create', 'last-word', '/etc/hostname')
  await cluster.powerOff(leader)
  await cluster.until(
    'a write',
    async () =>
      (await cluster.docker(other, 'service', 'update', '--detach', '--label-add', 'a=b', 'kept')) !== '',
  )
  await cluster.until('another leader', async () => ![leader, ''].includes(await cluster.leader(other)))
  assert.match(await cluster.docker(other, 'config', 'ls'), /last-word/)
  assert.equal(await cluster.docker('worker01', 'ps', '-q'), before)
  await cluster.startManager(leader)
  await cluster.until('all managers to be reachable', async () => {
    const nodes = [...(await cluster.nodes(other)).values()].filter((node) => node.manager !== '')
    return (
      nodes.length === 3 && nodes.every((node) => node.manager !== 'Unreachable' && node.status === 'Ready')
    )
  })
  await cluster.docker(other, 'service', 'rm', 'kept')
})

test('the quorum is lost: tasks run on, errors are clear, and it heals by itself', async () => {
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '--quiet',
    '--name',
    'on',
    '--replicas',
    '2',
    '--constraint',
    'node.role==worker',
    webImage,
  )
  const before = await cluster.docker('worker02', 'ps', '-q')
  await cluster.powerOff('manager02')
  await cluster.powerOff('manager03')
  const refusal = await cluster.refused('manager01', 'service', 'scale', '--detach', 'on=3')
  assert.match(refusal, /The swarm does not have a leader/)
  assert.equal(await cluster.docker('worker02', 'ps', '-q'), before)
  assert.match(await cluster.docker('manager01', 'service', 'ls'), /on +replicated/)
  await cluster.start('manager02')
  await cluster.until(
    'a write',
    async () => (await cluster.docker('manager01', 'service', 'scale', '--detach', 'on=3')) !== '',
  )
  await cluster.untilRunning('manager01', 'on', 3)
  await cluster.startManager('manager03')
  await cluster.until('three managers', async () => {
    const nodes = [...(await cluster.nodes('manager01')).values()].filter((node) => node.manager !== '')
    return nodes.every((node) => node.status === 'Ready' && node.manager !== 'Unreachable')
  })
  await cluster.docker('manager01', 'service', 'rm', 'on')
})

test('promote, demote the leader, and leave', async () => {
  await cluster.docker('manager01', 'node', 'promote', 'worker01')
  await cluster.until(
    'worker01 to be a manager',
    async () => (await cluster.nodes('manager01')).get('worker01')?.manager === 'Reachable',
  )
  await cluster.until(
    'worker01 to answer as one',
    async () => (await cluster.docker('worker01', 'node', 'ls')) !== '',
  )
  const leader = await cluster.leader('worker01')
  const other = ['manager01', 'manager02', 'manager03', 'worker01'].find((host) => host !== leader) ?? ''
  await cluster.docker(other, 'node', 'demote', leader)
  await cluster.until('another leader', async () => ![leader, ''].includes(await cluster.leader(other)))
  await cluster.until(
    'the old one to be a worker',
    async () => (await cluster.docker(leader, 'info', '--format', '{{.Swarm.ControlAvailable}}')) === 'false',
  )
  assert.match(
    await cluster.refused(other, 'swarm', 'leave'),
    /You are attempting to leave the swarm on a node that is participating as a manager\./,
  )
  await cluster.docker(leader, 'swarm', 'leave')
  assert.equal(await cluster.docker(leader, 'info', '--format', '{{.Swarm.LocalNodeState}}'), 'inactive')
  await cluster.until(
    'it to be Down',
    async () => (await cluster.nodes(other)).get(leader)?.status === 'Down',
  )
  await cluster.docker(other, 'node', 'rm', leader)
  const joinAgain = async () => {
    const token = await cluster.docker(other, 'swarm', 'join-token', '-q', 'manager')
    assert.match(
      await cluster.docker(leader, 'swarm', 'join', '--token', token, `${addressOf(other)}:2377`),
      /This node joined a swarm as a manager\./,
    )
    await cluster.until(
      'it to be back',
      async () => (await cluster.nodes(other)).get(leader)?.manager === 'Reachable',
    )
  }
  await joinAgain()
  // In one breath, as scripts do.
  await cluster.docker(other, 'node', 'demote', leader)
  await cluster.docker(other, 'node', 'rm', '--force', leader)
  await cluster.docker(leader, 'swarm', 'leave', '--force')
  await joinAgain()
})

test('tokens: wrong, rotated, of another cluster', async () => {
  const token = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  assert.match(token, /^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$/)
  await cluster.docker('worker02', 'swarm', 'leave')
  const join = (text: string) =>
    cluster.refused('worker02', 'swarm', 'join', '--token', text, `${addressOf('manager01')}:2377`)
  assert.match(await join('nonsense'), /invalid join token/)
  assert.match(
    await join(token.replace(/-[0-9a-z]{50}-/, `-${'0'.repeat(50)}-`)),
    /remote CA does not match fingerprint/,
  )
  await cluster.docker('manager01', 'swarm', 'join-token', '--rotate', '-q', 'worker')
  assert.match(await join(token), /valid join token is necessary/)
  assert.match(
    await cluster.refused('worker02', 'swarm', 'join', '--token', token, '192.168.199.1:2377'),
    /does not answer|cannot be reached/,
  )
  const fresh = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  await cluster.docker('worker02', 'swarm', 'join', '--token', fresh, `${addressOf('manager01')}:2377`)
  assert.match(
    await cluster.refused('worker02', 'swarm', 'join', '--token', fresh, `${addressOf('manager01')}:2377`),
    /already part of a swarm/,
  )
})

test('autolock: a restarted manager is locked until the key is given', async () => {
  await cluster.docker('manager01', 'swarm', 'update', '--autolock=true')
  const key = await cluster.docker('manager01', 'swarm', 'unlock-key', '-q')
  assert.match(key, /^SWMKEY-1-/)
  await cluster.until('the key file to be sealed', async () =>
    (await cluster.run('manager02', 'cat', '/var/lib/mure/keys.json')).includes('"sealed"'),
  )
  await cluster.powerOff('manager02')
  await cluster.start('manager02')
  await cluster.until(
    'manager02 to be locked',
    async () =>
      (await cluster.docker('manager02', 'info', '--format', '{{.Swarm.LocalNodeState}}')) === 'locked',
  )
  assert.match(
    await cluster.refused('manager02', 'node', 'ls'),
    /Swarm is encrypted and needs to be unlocked/,
  )
  assert.match(await cluster.refused('manager02', 'swarm', 'leave'), /Swarm is encrypted and locked\./)
  await cluster.run('manager02', 'sh', '-c', `echo ${key} | docker swarm unlock`)
  await cluster.until(
    'manager02 to answer',
    async () => (await cluster.docker('manager02', 'node', 'ls')) !== '',
  )
  await cluster.docker('manager01', 'swarm', 'update', '--autolock=false')
})

function addressOf(host: string): string {
  return cluster.lab.hosts.find((candidate) => candidate.name === host)?.address ?? ''
}
