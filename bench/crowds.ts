/**
 * Crowds on the networks: three hundred tasks on one, then five hundred attaches of plain containers at once. Each has
 * an address of its own, all are named and reached, and nothing is left of them; how long that takes is told.
 * Run: mure bench crowds [tasks, default 300] [containers to attach to ten networks each, default 50]
 */
import assert from 'node:assert/strict'
import { TestCluster } from '../test/support/cluster.ts'
import { say } from './support/measure.ts'

const tasks = Number(process.argv[2] ?? 300)
const containers = Number(process.argv[3] ?? 50)
const networks = 10
const busybox = 'registry:5000/busybox:latest'
const sleeping = [busybox, 'sleep', '100000']
const hosts = ['manager01', 'worker01', 'worker02'] as const
const longMs = 20 * 60_000

await using cluster = await TestCluster.up({ name: 'crowds', managers: 1, workers: 2 })
const manager = (...args: string[]) => cluster.docker('manager01', ...args)
const worker = (...args: string[]) => cluster.docker('worker01', ...args)
const createNetwork = (name: string) => manager('network', 'create', '-d', 'overlay', '--attachable', name)
const ping = async (container: string, address: string) => {
  const said = await worker('exec', container, 'ping', '-c', '1', '-W', '5', address)
  assert.match(said, / 0% packet loss/)
}

async function timed(what: string, work: () => Promise<void>): Promise<void> {
  const begunMs = performance.now()
  await work()
  say(`${what}: ${((performance.now() - begunMs) / 1000).toFixed(1)} s`)
}

const nothingIsLeft = () =>
  timed('nothing is left of them on any host after', async () => {
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
  })

/** A resolver that goes on by TCP where a datagram does not hold all. */
async function allNamed(pid: string): Promise<string[]> {
  const script =
    "require('dns').setServers(['127.0.0.11']);" +
    "require('dns').resolve4('tasks.many', (error, found) => console.log(JSON.stringify(found ?? [])))"
  const node = ['nsenter', '--target', pid, '--net', process.execPath, '-e', script]
  return JSON.parse(await cluster.run('worker01', ...node)) as string[]
}

await createNetwork('wide')
await timed(`${String(tasks)} tasks on one network run after`, async () => {
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
})
await worker('run', '-d', '--name', 'asker', '--network', 'wide', ...sleeping)
const pid = await worker('inspect', '-f', '{{.State.Pid}}', 'asker')
await timed('all are named after', async () => {
  await cluster.until('all to be named', async () => {
    const found = await allNamed(pid)
    return new Set(found).size === tasks || `${String(found.length)} addresses`
  })
})
const addresses = await allNamed(pid)
for (let index = 0; index < tasks; index += 50) await ping('asker', addresses[index] ?? '')
await worker('rm', '--force', 'asker')
await manager('service', 'rm', 'many')
await nothingIsLeft()
await manager('network', 'rm', 'wide')

const names = Array.from({ length: networks }, (_, index) => `attach${String(index + 1)}`)
for (const name of names) await createNetwork(name)
const onWorker = (line: string) => cluster.runFor(longMs, 'worker01', 'sh', '-c', line)
const boxes = `seq ${String(containers)}`
await onWorker(`${boxes} | xargs -P 4 -I N docker run -d --name boxN ${sleeping.join(' ')}`)
await timed(`${String(containers * networks)} attaches, fifty at a time`, async () => {
  const pairs = `for n in $(seq ${String(networks)}); do for b in $(${boxes}); do echo attach$n box$b; done; done`
  await onWorker(`${pairs} | xargs -P 50 -L 1 docker network connect`)
})
const format = '{{range $name, $net := .NetworkSettings.Networks}}{{$name}} {{$net.IPAddress}};{{end}}'
const said = await onWorker(`docker inspect -f '${format}' $(docker ps -q)`)
const attached = [...said.matchAll(/(attach\d+) (10\.[\d.]+);/g)]
assert.equal(new Set(attached.map(([, , address]) => address)).size, containers * networks)
for (const name of names) await ping('box1', attached.findLast(([, network]) => network === name)?.[2] ?? '')
await onWorker('docker rm --force $(docker ps -q)')
await nothingIsLeft()
for (const name of names) await manager('network', 'rm', name)
