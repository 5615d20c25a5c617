import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2emove', managers: 3, workers: 0 })
})
after(() => cluster[Symbol.asyncDispose]())

const addressOf = async (host: string): Promise<string> =>
  (await cluster.run(host, 'sh', '-c', "ip -o -4 addr show dev eth0 | awk '{print $4}'")).trim()

/** The same interface, another address of the same subnet; mured starts anew, as after a reboot. */
async function move(host: string, last: number): Promise<string> {
  const before = await addressOf(host)
  const after = before.replace(/\.\d+\//, `.${String(last)}/`)
  await cluster.run(
    host,
    'sh',
    '-ec',
    `gw=$(ip route show default | awk '{print $3}')
     ip addr del ${before} dev eth0; ip addr add ${after} dev eth0
     if [ -n "$gw" ]; then ip route replace default via $gw; fi
     kill -KILL $(cat /run/mured.pid)`,
  )
  return after.split('/')[0] ?? ''
}

const shown = (from: string, host: string, format: string) =>
  cluster.docker(from, 'node', 'inspect', '-f', format, host)

test('a manager that has another address after a restart is let in again by the others', async () => {
  const address = await move('manager03', 203)
  await cluster.until('manager03 to be a manager at its new address', async () => {
    const place = await shown(
      'manager01',
      'manager03',
      '{{.ManagerStatus.Addr}} {{.ManagerStatus.Reachability}}',
    )
    return place === `${address}:2377 reachable` || place
  })
  await cluster.until('its store to take writes', () =>
    cluster.docker('manager03', 'service', 'create', '-dq', '--name', 'moved', webImage).then(() => true),
  )
  // It counts for the quorum: one of the others may go.
  await cluster.powerOff('manager02')
  await cluster.until('writes to go on with two of three', () =>
    cluster.docker('manager01', 'service', 'scale', '-d', 'moved=2').then(() => true),
  )
  await cluster.untilRunning('manager01', 'moved', 2)
  await cluster.startManager('manager02')
})

test('a manager that is alone takes its new address by itself', async () => {
  for (const host of ['manager02', 'manager03']) {
    await cluster.docker('manager01', 'node', 'demote', host)
    await cluster.until(`${host} to be a worker`, async () => {
      const nodes = await cluster.nodes('manager01')
      return nodes.get(host)?.manager === '' || JSON.stringify(nodes.get(host))
    })
  }
  const address = await move('manager01', 201)
  await cluster.until('manager01 to answer at its new address', async () => {
    const place = await shown('manager01', 'self', '{{.ManagerStatus.Addr}} {{.Status.Addr}}')
    return place === `${address}:2377 ${address}` || place
  })
  assert.match(
    await cluster.docker('manager01', 'swarm', 'join-token', 'worker'),
    new RegExp(`${address}:2377`),
  )
})
