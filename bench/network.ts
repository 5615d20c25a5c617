/**
 * The networks beside what they stand in for, alternating in the same run: a virtual address beside a task's own
 * address, the routing mesh beside the task's host (and HAProxy and docker-proxy in its place), an overlay beside the
 * bare link, the name server, a change becoming known, and a rolling update under load.
 * Run: mure bench network [rounds, default 3]
 */
import { join } from 'node:path'
import { ipv4 } from '#agent/network/family.ts'
import { renderVirtualAddresses } from '#agent/network/rules/virtual-addresses.ts'
import { ensurePackages } from '#cli/prerequisites.ts'
import { iperf, wrk } from './support/load.ts'
import { LabCluster } from './support/lab-cluster.ts'
import { median, say, timeUntil } from './support/measure.ts'

const rounds = Number(process.argv[2] ?? 3)
const seconds = 2
const nginx = 'registry:5000/nginx:latest'
const busybox = 'registry:5000/busybox:latest'
/** The client's host; one without tasks; the tasks'. */
const [clientHost, emptyHost, taskHost] = ['worker01', 'manager01', 'worker02'] as const

await ensurePackages(say, [
  { name: 'iperf3', program: 'iperf3' },
  { name: 'wrk', program: 'wrk' },
])
await using cluster = await LabCluster.up('benchnet', 'mure', 1, 2)
const docker = (...args: string[]) => cluster.docker('manager01', ...args).then((text) => text.trim())
const create = (name: string, ...args: string[]) =>
  docker(
    'service',
    'create',
    '--quiet',
    '--name',
    name,
    '--constraint',
    `node.hostname==${taskHost}`,
    ...args,
  )

await docker('network', 'create', '-d', 'overlay', '--attachable', 'bench')
await create('web', '--network', 'bench', '-p', '8080:80', '--replicas', '3', nginx)
await cluster.docker(
  clientHost,
  'run',
  '-d',
  '--name',
  'client',
  '--network',
  'bench',
  busybox,
  'sleep',
  '100000',
)
const pidOf = async (host: string, container: string) =>
  (await cluster.docker(host, 'inspect', '-f', '{{.State.Pid}}', container)).trim()
const client = await pidOf(clientHost, 'client')
const answersOf = async (name: string): Promise<string[]> => {
  const said = await cluster.docker(clientHost, 'exec', 'client', 'nslookup', name)
  return [...said.matchAll(/^Address: (\S+)$/gm)].map((match) => match[1] ?? '')
}
const [virtual = ''] = await answersOf('web')
const tasks = await answersOf('tasks.web')

/** The median of the rounds, one way after the other in each. */
async function beside(
  ways: Readonly<Record<string, () => Promise<number>>>,
): Promise<Record<string, number>> {
  const seen: Record<string, number[]> = {}
  for (let round = 0; round < rounds; round++)
    for (const [way, measure] of Object.entries(ways)) (seen[way] ??= []).push(await measure())
  return Object.fromEntries(Object.entries(seen).map(([way, values]) => [way, median(values)]))
}

function report(what: string, unit: string, figures: Record<string, number>, base: string): void {
  const whole = figures[base] ?? Number.NaN
  const text = Object.entries(figures).map(([way, value]) => {
    const share = way === base ? '' : ` (${((value / whole) * 100).toFixed(0)}%)`
    return `${way} ${value >= 100 ? value.toFixed(0) : value.toFixed(2)}${share}`
  })
  say(`${what}, ${unit}: ${text.join(', ')}`)
}

const fromClient = (address: string, isNewEach: boolean) => async () =>
  (await wrk(cluster, clientHost, `http://${address}/`, { pid: client, seconds, isNewEach })).perSecond

async function virtualAddress(count: number): Promise<void> {
  for (const isNewEach of [false, true])
    report(
      `virtual address of ${String(count)} tasks, ${isNewEach ? 'a connection for each' : 'kept connections'}`,
      'requests/s',
      await beside({
        'task itself': fromClient(tasks[0] ?? '', isNewEach),
        'virtual address': fromClient(virtual, isNewEach),
      }),
      'task itself',
    )
}

/** The client's rules as they are with so many tasks; the tasks behind them are the same few. */
async function pretend(count: number): Promise<void> {
  const many = Array.from({ length: count }, (_, index) => tasks[index % tasks.length] ?? '')
  const rules = renderVirtualAddresses(ipv4, undefined, new Map([[virtual, many]])).join('\n')
  await cluster.run(
    clientHost,
    'nsenter',
    '--target',
    client,
    '--net',
    'sh',
    '-c',
    `echo '${rules}' | nft -f -`,
  )
}

async function mesh(): Promise<void> {
  const there = `${cluster.address(taskHost)}:8080`
  const configuration = `defaults\n mode http\n timeout connect 5s\n timeout client 30s\n timeout server 30s\nfrontend in\n bind :8090\n default_backend out\nbackend out\n server one ${there}\n`
  await cluster.run(
    emptyHost,
    'sh',
    '-c',
    `printf '${configuration.replaceAll('\n', '\\n')}' >/run/peer.cfg; haproxy -D -f /run/peer.cfg`,
  )
  const proxy = `docker-proxy -proto tcp -host-ip 0.0.0.0 -host-port 8091 -container-ip ${cluster.address(taskHost)} -container-port 8080`
  await cluster.run(emptyHost, 'sh', '-c', `${proxy} 3>/dev/null >/dev/null 2>&1 & sleep 1`)
  const from = (port: number, host: string, isNewEach: boolean) => async () =>
    (
      await wrk(cluster, clientHost, `http://${cluster.address(host)}:${String(port)}/`, {
        seconds,
        isNewEach,
      })
    ).perSecond
  for (const isNewEach of [false, true])
    report(
      `published port, ${isNewEach ? 'a connection for each' : 'kept connections'}`,
      'requests/s',
      await beside({
        "task's host": from(8080, taskHost, isNewEach),
        'another host (mesh)': from(8080, emptyHost, isNewEach),
        'HAProxy there': from(8090, emptyHost, isNewEach),
        'docker-proxy there': from(8091, emptyHost, isNewEach),
      }),
      "task's host",
    )
}

async function overlay(): Promise<void> {
  await cluster.docker(
    taskHost,
    'run',
    '-d',
    '--name',
    'server',
    '--network',
    'bench',
    busybox,
    'sleep',
    '100000',
  )
  const pid = await pidOf(taskHost, 'server')
  const [address = ''] = await answersOf('server')
  const from = { host: clientHost }
  report(
    'TCP between hosts',
    'Gbit/s',
    await beside({
      'bare link': () =>
        iperf(cluster, { host: taskHost, address: cluster.address(taskHost) }, from, seconds),
      overlay: () => iperf(cluster, { host: taskHost, pid, address }, { ...from, pid: client }, seconds),
    }),
    'bare link',
  )
}

interface Asked {
  readonly perSecond: number
  readonly median: number
  readonly p99: number
}

async function names(): Promise<void> {
  const script = join(import.meta.dirname, 'support', 'ask-names.ts')
  const ask = async (depth: number, rate: number) => {
    const said = await cluster.run(
      clientHost,
      ...['nsenter', '--target', client, '--net', process.execPath, '--disable-warning=ExperimentalWarning'],
      ...[script, '169.254.53.1', 'web', String(seconds), String(depth), String(rate)],
    )
    return JSON.parse(said) as Asked
  }
  const full = await ask(64, 0)
  const half = await ask(64, full.perSecond / 2)
  say(
    `names: ${full.perSecond.toFixed(0)} answers/s; half loaded ${half.median.toFixed(2)} ms median, ${half.p99.toFixed(2)} ms p99`,
  )
}

/** From the end of `docker service update` of an alias to its being known in a container of another host. */
async function propagation(services: number): Promise<void> {
  for (let made = 0; made < services; made += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, services - made) }, (_, index) =>
        cluster.call('manager01', 'POST', '/v1.41/services/create', {
          json: {
            Name: `idle${String(made + index)}`,
            TaskTemplate: { ContainerSpec: { Image: busybox }, Networks: [{ Target: 'bench' }] },
            Mode: { Replicated: { Replicas: 0 } },
          },
          timeoutMs: 60_000,
        }),
      ),
    )
  const took: number[] = []
  for (let round = 0; round < 5; round++) {
    const name = `new${String(services)}x${String(round)}`
    const began = performance.now()
    await cluster.call('manager01', 'POST', '/v1.41/services/create', {
      json: {
        Name: name,
        TaskTemplate: { ContainerSpec: { Image: busybox }, Networks: [{ Target: 'bench' }] },
        Mode: { Replicated: { Replicas: 0 } },
      },
    })
    await timeUntil(`${name} to be known`, async () => (await answersOf(name).catch(() => [])).length > 0)
    took.push(performance.now() - began)
  }
  say(
    `a new name known on another host, among ${String(services)} services: ${median(took).toFixed(0)} ms (docker exec and nslookup included)`,
  )
}

async function rollingUpdate(): Promise<void> {
  const load = wrk(cluster, clientHost, `http://${cluster.address(emptyHost)}:8080/`, {
    seconds: 20,
    isNewEach: true,
  })
  await docker('service', 'update', '--quiet', '--force', '--update-order', 'start-first', 'web')
  const { perSecond, failed } = await load
  say(`rolling update under load: ${perSecond.toFixed(0)} requests/s, ${String(failed)} failed`)
}

await virtualAddress(3)
await pretend(300)
await virtualAddress(300)
await pretend(3)
await mesh()
await overlay()
await names()
await rollingUpdate()
await propagation(10)
await propagation(1_000)
