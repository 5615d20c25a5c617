import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

const busybox = 'registry:5000/busybox:latest'
const sleeping = [busybox, 'sleep', '100000']
const tasks = 300
const [containers, networks] = [50, 10]
const hosts = ['manager01', 'worker01', 'worker02'] as const
/** All of it is done by the two or so processors of one machine. */
const longMs = 600_000

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2ecrowds', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

const manager = (...args: string[]) => cluster.docker('manager01', ...args)
const worker = (...args: string[]) => cluster.docker('worker01', ...args)
const createNetwork = (name: string) => manager('network', 'create', '-d', 'overlay', '--attachable', name)

async function nothingIsLeft(): Promise<void> {
  for (const host of hosts)
    await cluster.until(
      `${host} to have no link of a network`,
      async () => {
        const said = await cluster.run(host, 'ip', '-br', 'link')
        const links = [...said.matchAll(/^mu[bxv]\S+/gm)].map(([name]) => name)
        return links.length === 0 || links.join(' ')
      },
      longMs,
    )
}

test('300 tasks on one network have an address each, are all named, and leave nothing behind', async () => {
  await createNetwork('wide')
  await manager(
    ...['service', 'create', '--detach', '--quiet', '--name', 'many', '--replicas', String(tasks)],
    ...['--network', 'wide', '--stop-grace-period', '1s', ...sleeping],
  )
  await cluster.until(
    'all tasks to run',
    async () => {
      const said = await manager('service', 'ls', '--format', '{{.Replicas}}')
      return said === `${String(tasks)}/${String(tasks)}` || said
    },
    longMs,
  )
  await worker('run', '-d', '--name', 'asker', '--network', 'wide', ...sleeping)
  // A resolver that goes on by TCP where a datagram does not hold all.
  const resolve = `require('dns').resolve4('tasks.many', (error, found) => console.log(JSON.stringify(found ?? [])))`
  const pid = await worker('inspect', '-f', '{{.State.Pid}}', 'asker')
  const all = async () => {
    const node = ['nsenter', '--target', pid, '--net', process.execPath, '-e']
    const said = await cluster.run(
      'worker01',
      ...node,
      `require('dns').setServers(['127.0.0.11']); ${resolve}`,
    )
    return JSON.parse(said) as string[]
  }
  await cluster.until('all to be named', async () => {
    const found = await all()
    return new Set(found).size === tasks || `${String(found.length)} addresses`
  })
  const addresses = await all()
  // One that never does gets what fits.
  assert.match(await worker('exec', 'asker', 'nslookup', 'tasks.many'), /^Address: 10\./m)
  const some = [0, 100, 200, tasks - 1].map((index) => addresses[index] ?? '')
  for (const address of some)
    assert.match(await worker('exec', 'asker', 'ping', '-c', '1', '-W', '5', address), / 0% packet loss/)
  await worker('rm', '--force', 'asker')
  await manager('service', 'rm', 'many')
  await nothingIsLeft()
  await manager('network', 'rm', 'wide')
})

test('500 attaches at once give an address each, and leave nothing behind', async () => {
  const names = Array.from({ length: networks }, (_, index) => `attach${String(index + 1)}`)
  for (const name of names) await createNetwork(name)
  const boxes = `seq ${String(containers)}`
  const start = `docker run -d --name boxN ${sleeping.join(' ')}`
  await cluster.runFor(longMs, 'worker01', 'sh', '-c', `${boxes} | xargs -P 4 -I N ${start}`)
  const pairs = `for n in $(seq ${String(networks)}); do for b in $(${boxes}); do echo attach$n box$b; done; done`
  const attach = 'docker network connect'
  await cluster.runFor(longMs, 'worker01', 'sh', '-c', `${pairs} | xargs -P 50 -L 1 ${attach}`)
  const format = '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{$net.IPAddress}};{{end}}'
  const said = await cluster.run('worker01', 'sh', '-c', `docker inspect -f '${format}' $(docker ps -q)`)
  const attached = [...said.matchAll(/(attach\d+) (10\.[\d.]+);/g)].map(([, name, address]) => ({
    name: name ?? '',
    address: address ?? '',
  }))
  assert.equal(attached.length, containers * networks)
  assert.equal(new Set(attached.map(({ address }) => address)).size, containers * networks)
  for (const name of names) {
    const address = attached.findLast((one) => one.name === name)?.address ?? ''
    assert.match(await worker('exec', 'box1', 'ping', '-c', '1', '-W', '5', address), / 0% packet loss/)
  }
  await cluster.runFor(longMs, 'worker01', 'sh', '-c', 'docker rm --force $(docker ps -q)')
  await nothingIsLeft()
  for (const name of names) await manager('network', 'rm', name)
})
