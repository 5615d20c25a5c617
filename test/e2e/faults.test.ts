import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2efaults', managers: 3, workers: 1 })
})
after(() => cluster[Symbol.asyncDispose]())

const kill = (host: string, signal: string, pattern: string) =>
  cluster.run(host, 'sh', '-c', `kill -${signal} $(pgrep -f '${pattern}')`)

const write = (host: string, name: string) =>
  cluster.docker(host, 'service', 'create', '-dq', '--name', name, '--replicas', '0', webImage)

test('etcd and mured killed on all managers, over and over: what was acknowledged is there', async () => {
  const acknowledged: string[] = []
  for (let round = 1; round <= 4; round++) {
    const name = `round${String(round)}`
    await write('manager01', name)
    acknowledged.push(name)
    const victims = ['manager01', 'manager02', 'manager03']
    await Promise.all(
      victims.map((host) => kill(host, 'KILL', round % 2 === 0 ? '[e]tcd --name' : '[c]li/main.ts daemon')),
    )
    await cluster.until('the API to answer again', async () => {
      const listed = await cluster.docker('manager02', 'service', 'ls', '--format', '{{.Name}}')
      return acknowledged.every((one) => listed.split('\n').includes(one)) || listed
    })
    await cluster.until('writes to go on', () => write('manager03', `after${String(round)}`).then(() => true))
    acknowledged.push(`after${String(round)}`)
  }
  await cluster.docker('manager01', 'service', 'rm', ...acknowledged)
})

test('the leader dies in the middle of an update: it goes on within its policy, and makes no task twice', async () => {
  const replicas = 6
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-dq', '--name', 'rolling', '--replicas', String(replicas)],
    ...['--constraint', 'node.role==worker', '--stop-grace-period', '0s'],
    ...['--update-delay', '500ms', '--update-monitor', '1s', webImage],
  )
  await cluster.untilRunning('manager01', 'rolling', replicas)
  const leader = await cluster.leader('manager01')
  const witness = leader === 'manager02' ? 'manager03' : 'manager02'
  await cluster.docker(witness, 'service', 'update', '-dq', '--env-add', 'NEW=1', 'rolling')
  await cluster.until('two to be replaced', async () => (await tasksOfRolling(witness)).fresh.length >= 2)
  await cluster.powerOff(leader)
  await cluster.until('the update to be complete', async () => {
    const { tasks, wanted } = await tasksOfRolling(witness)
    // One slot at a time: the old task runs until the new one is ready.
    const up = wanted.filter((task) => task.Status.State === 'running')
    assert.ok(up.length >= replicas - 1, JSON.stringify(tasks.map(short)))
    assert.ok(wanted.length <= replicas + 1, JSON.stringify(tasks.map(short)))
    const state = await cluster.docker(
      witness,
      ...['service', 'inspect', '--format', '{{.UpdateStatus.State}}', 'rolling'],
    )
    return state === 'completed' || state
  })
  const { tasks, fresh, wanted } = await tasksOfRolling(witness)
  assert.deepEqual(
    fresh.map(({ Slot }) => Slot).sort(),
    Array.from({ length: replicas }, (_, index) => index + 1),
    'one new task for each slot',
  )
  assert.deepEqual(wanted.map(short).sort(), fresh.map(short).sort())
  assert.equal(tasks.length, 2 * replicas)
  await cluster.docker(witness, 'service', 'rm', 'rolling')
  await cluster.startManager(leader)
})

interface ShownTask {
  readonly ID: string
  readonly Slot: number
  readonly DesiredState: string
  readonly Spec: { readonly ContainerSpec: { readonly Env?: readonly string[] } }
  readonly Status: { readonly State: string }
}

const short = ({ Slot, DesiredState, Status }: ShownTask): string =>
  `${String(Slot)} ${Status.State}/${DesiredState}`

/** All tasks of the service, those of the new spec, and those that are to run. */
async function tasksOfRolling(host: string) {
  const query = encodeURIComponent(JSON.stringify({ service: ['rolling'] }))
  const text = await cluster.run(
    host,
    ...['curl', '-sS', '--unix-socket', '/var/run/docker.sock', `http://docker/tasks?filters=${query}`],
  )
  const tasks = JSON.parse(text) as ShownTask[]
  return {
    tasks,
    fresh: tasks.filter((task) => task.Spec.ContainerSpec.Env?.includes('NEW=1')),
    wanted: tasks.filter(({ DesiredState }) => DesiredState === 'running' || DesiredState === 'ready'),
  }
}

test('a full disk on a manager: it is out, the others go on, and it is back when there is room', async () => {
  await cluster.powerOff('manager03')
  await cluster.startManager('manager03')
  // etcd's files move to a disk that is nearly full: it needs 64 MiB for its next segment alone.
  await kill('manager03', 'STOP', '[c]li/main.ts daemon')
  await kill('manager03', 'KILL', '[e]tcd --name')
  await cluster.run(
    'manager03',
    'sh',
    '-ec',
    `cp -a /var/lib/mure/etcd /run/etcd.saved && mount -t tmpfs -o size=1500m tmpfs /var/lib/mure/etcd &&
     cp -a /run/etcd.saved/. /var/lib/mure/etcd/ && ! dd if=/dev/zero of=/var/lib/mure/etcd/ballast bs=1M 2>/dev/null`,
  )
  await kill('manager03', 'CONT', '[c]li/main.ts daemon')
  for (let count = 0; count < 5; count++) await write('manager01', `full${String(count)}`)
  // More than fits into the files that etcd has made beforehand: the next one finds no room.
  await cluster.run(
    'manager01',
    ...[
      'sh',
      '-ec',
      `head -c 900000 /dev/urandom >/run/large; for i in $(seq 190); do docker config create large$i /run/large >/dev/null; done`,
    ],
  )
  await cluster.until('manager03 to be out', async () => {
    const warnings = await cluster.docker('manager03', 'info', '--format', '{{json .Warnings}}')
    return /no quorum/.test(warnings) || warnings
  })
  await cluster.until('the others to know that it is out', async () => {
    const there = (await cluster.nodes('manager01')).get('manager03')
    return there?.manager === 'Unreachable' || String(there?.manager)
  })
  // Started anew it has nothing to show, but says why.
  await kill('manager03', 'KILL', '[c]li/main.ts daemon')
  await cluster.until('manager03 to say what it waits for', async () => {
    const error = await cluster.docker('manager03', 'info', '--format', '{{.Swarm.Error}}')
    return /not up yet: it waits for etcd/.test(error) || error
  })
  await cluster.run('manager03', 'rm', '/var/lib/mure/etcd/ballast')
  await cluster.until('manager03 to know what the others wrote', async () => {
    const names = await cluster.docker('manager03', 'service', 'ls', '--format', '{{.Name}}')
    return names.split('\n').filter((name) => name.startsWith('full')).length === 5 || names
  })
  await cluster.until('manager03 to have caught up', async () => {
    const configs = await cluster.docker('manager03', 'config', 'ls', '-q')
    return configs.split('\n').length === 190 || String(configs.split('\n').length)
  })
  await cluster.until('manager03 to be reachable', async () => {
    const nodes = await cluster.nodes('manager03')
    return nodes.get('manager03')?.manager === 'Reachable' || nodes.get('manager03')?.manager === 'Leader'
  })
})

test('a manager cut off from the others shows what it knew, marked stale, and refuses writes with a reason', async () => {
  await cluster.cable('manager02', false)
  await cluster.until('the reads to be marked', async () => {
    const warnings = await cluster.docker('manager02', 'info', '--format', '{{json .Warnings}}')
    return /no quorum/.test(warnings) || warnings
  })
  assert.match(await cluster.docker('manager02', 'service', 'ls', '--format', '{{.Name}}'), /full0/)
  assert.match(await cluster.refused('manager02', 'service', 'rm', 'full0'), /does not have a leader|waited/)
  await cluster.cable('manager02', true)
  await cluster.until('it to be one of them again', async () => {
    const warnings = await cluster.docker('manager02', 'info', '--format', '{{json .Warnings}}')
    return !/no quorum/.test(warnings) || warnings
  })
  await cluster.docker('manager02', 'service', 'rm', 'full0')
})

test('joins that cannot be: each says why, and leaves the host as it was', async () => {
  await cluster.docker('worker01', 'swarm', 'leave')
  const token = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  const refusals: [string, RegExp][] = [
    ['192.168.254.1:2377', /192\.168\.254\.1/],
    ['192.168.100.12:9', /192\.168\.100\.12:9/],
    ['registry:5000', /registry:5000/],
    ['manager01:99999', /manager01:99999/],
  ]
  for (const [address, reason] of refusals)
    assert.match(
      await cluster.refused('worker01', 'swarm', 'join', '--token', token, address),
      reason,
      address,
    )
  assert.equal(await cluster.docker('worker01', 'info', '--format', '{{.Swarm.LocalNodeState}}'), 'inactive')
  await cluster.docker('worker01', 'swarm', 'join', '--token', token, 'manager02')
})
