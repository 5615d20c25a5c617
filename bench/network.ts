/**
 * The networks beside what they stand in for, alternating in the same run: a virtual address beside a task's own
 * address, the routing mesh beside the task's host (and HAProxy and docker-proxy in its place), an overlay beside the
 * bare link, the name server, a change becoming known, and a rolling update under load.
 * Run: mure bench network [rounds, default 3] [virtual] [mesh] [overlay] [names] [propagation] [update]
 * `spread`, only where it is asked for: a change becoming known at all of 8 hosts, up to 10,000 endpoints.
 */
import { join } from 'node:path'
import { ipv4 } from '#agent/network/family.ts'
import { renderVirtualAddresses } from '#agent/network/rules/virtual-addresses.ts'
import { ensurePackages } from '#cli/prerequisites.ts'
import { dnsperf, iperf, wrk } from './support/load.ts'
import { LabCluster } from './support/lab-cluster.ts'
import { sleep } from '#lib/wait.ts'
import { median, say } from './support/measure.ts'

const rounds = Number(process.argv[2] ?? 3)
const chosen = process.argv.slice(3)
const seconds = 2
const nginx = 'registry:5000/nginx:latest'
const busybox = 'registry:5000/busybox:latest'
/** The client's host; one without tasks; the tasks'. */
const [clientHost, emptyHost, taskHost] = ['worker01', 'manager01', 'worker02'] as const

await ensurePackages(say, [
  { name: 'dnsperf', program: 'dnsperf' },
  { name: 'iperf3', program: 'iperf3' },
  { name: 'wrk', program: 'wrk' },
])
await using cluster = await LabCluster.up('benchnet', 'mure', 1, chosen.includes('spread') ? 7 : 2)
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
await create('web', '--network', 'bench', '-p', '8080:80', nginx)
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
const [task = ''] = await answersOf('tasks.web')

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

/**
 * Two connections of one client that differ for the hosts or addresses asked alone are the same to the task at their
 * end: each way has ports of its own, so that none meets what another left there, and takes them again within the minute for
 * which a closed connection holds its port.
 */
const portsOf = (place: number): readonly string[] => [
  `net.ipv4.ip_local_port_range=${place === 0 ? '1024 30999' : '31000 60999'}`,
  'net.ipv4.tcp_tw_reuse=1',
]

const fromClient = (address: string, place: number, isNewEach: boolean) => async () => {
  await cluster.run(clientHost, 'nsenter', '--target', client, '--net', 'sysctl', '-qw', ...portsOf(place))
  return (await wrk(cluster, clientHost, `http://${address}/`, { pid: client, seconds, isNewEach })).perSecond
}

async function virtualAddress(count: number): Promise<void> {
  await pretend(count)
  for (const isNewEach of [false, true])
    report(
      `virtual address with ${String(count)} entries, ${isNewEach ? 'a connection for each' : 'kept connections'}`,
      'requests/s',
      await beside({
        'task itself': fromClient(task, 0, isNewEach),
        'virtual address': fromClient(virtual, 1, isNewEach),
      }),
      'task itself',
    )
}

/** The client's rules as they are with so many tasks, all of which are the one: the same container either way. */
async function pretend(count: number): Promise<void> {
  const many = Array.from({ length: count }, () => task)
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
  const from = (port: number, host: string, isNewEach: boolean) => async () => {
    await cluster.run(clientHost, 'sysctl', '-qw', ...portsOf(host === taskHost ? 0 : 1))
    const url = `http://${cluster.address(host)}:${String(port)}/`
    return (await wrk(cluster, clientHost, url, { seconds, isNewEach })).perSecond
  }
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

async function names(): Promise<void> {
  const full = await dnsperf(cluster, clientHost, {
    pid: client,
    server: '169.254.53.1',
    name: 'web',
    seconds,
  })
  const half = await dnsperf(cluster, clientHost, {
    ...{ pid: client, server: '169.254.53.1', name: 'web', seconds },
    perSecond: full.perSecond / 2,
  })
  say(
    `names: ${full.perSecond.toFixed(0)} answers/s; half loaded ${half.medianMs.toFixed(2)} ms median, ${half.p99Ms.toFixed(2)} ms p99`,
  )
}

const newService = (name: string) =>
  cluster.call('manager01', 'POST', '/v1.41/services/create', {
    json: {
      Name: name,
      TaskTemplate: { ContainerSpec: { Image: busybox }, Networks: [{ Target: 'bench' }] },
      Mode: { Replicated: { Replicas: 0 } },
    },
    timeoutMs: 60_000,
  })

/** When a container of the host knew a name that is made and removed, and when its rules had it. */
async function watchName(
  host: string,
  pid: string,
  name: string,
): Promise<{ readonly known: number; readonly ruled: number; readonly gone: number }> {
  const watcher = join(import.meta.dirname, 'support', 'watch-name.ts')
  const said = await cluster.run(
    host,
    ...['nsenter', '--target', pid, '--net', process.execPath, '--disable-warning=ExperimentalWarning'],
    ...[watcher, '169.254.53.1', name],
  )
  return JSON.parse(said) as { known: number; ruled: number; gone: number }
}

/** How long it takes from asking for a service until its name and rules are in a container of another host, and back. */
async function propagation(services: number): Promise<void> {
  for (let made = 0; made < services; made += 50)
    await Promise.all(
      Array.from({ length: Math.min(50, services - made) }, (_, index) =>
        newService(`idle${String(services)}x${String(made + index)}`),
      ),
    )
  const known: number[] = []
  const ruled: number[] = []
  const gone: number[] = []
  for (let round = 0; round < 5; round++) {
    const name = `new${String(services)}x${String(round)}`
    const seen = watchName(clientHost, client, name)
    await sleep(500)
    const made = Date.now()
    await newService(name)
    await sleep(1_000)
    const removed = Date.now()
    await cluster.call('manager01', 'DELETE', `/v1.41/services/${name}`)
    const times = await seen
    known.push(times.known - made)
    ruled.push(times.ruled - made)
    gone.push(times.gone - removed)
  }
  say(
    `a change known on another host, among ${String(services)} services: name ${median(known).toFixed(0)} ms, rules ${median(ruled).toFixed(0)} ms; removed ${median(gone).toFixed(0)} ms (the API's own time included)`,
  )
}

/** Networks that each service and a container of each host are on: an endpoint on each for every service. */
const spreadNetworks = Array.from({ length: 10 }, (_, index) => `spread${String(index)}`)

/** As `propagation`, with a container at each host that looks: how long until the last of them knows. */
async function spread(): Promise<void> {
  for (const name of spreadNetworks) await docker('network', 'create', '-d', 'overlay', '--attachable', name)
  const watching = new Map<string, string>()
  for (const host of cluster.hosts) {
    const [first = '', ...others] = spreadNetworks
    await cluster.docker(
      host,
      ...['run', '-d', '--name', 'watcher', '--network', first, busybox, 'sleep', '100000'],
    )
    for (const name of others) await cluster.docker(host, 'network', 'connect', name, 'watcher')
    watching.set(host, await pidOf(host, 'watcher'))
  }
  let made = 0
  for (const services of [10, 1_000]) {
    for (; made < services; made += 10)
      await Promise.all(
        Array.from({ length: 10 }, (_, index) => spreadService(`far${String(made + index)}`, spreadNetworks)),
      )
    const known: number[] = []
    const last: { known: number[]; ruled: number[]; gone: number[] } = { known: [], ruled: [], gone: [] }
    for (let round = 0; round < 5; round++) {
      const name = `near${String(services)}x${String(round)}`
      const seen = [...watching].map(async ([host, pid]) => watchName(host, pid, name))
      await sleep(5_000)
      const begun = Date.now()
      await spreadService(name, spreadNetworks.slice(0, 1))
      await sleep(1_500)
      const removed = Date.now()
      await cluster.call('manager01', 'DELETE', `/v1.41/services/${name}`)
      const times = await Promise.all(seen)
      known.push(...times.map((each) => each.known - begun))
      last.known.push(Math.max(...times.map((each) => each.known)) - begun)
      last.ruled.push(Math.max(...times.map((each) => each.ruled)) - begun)
      last.gone.push(Math.max(...times.map((each) => each.gone)) - removed)
    }
    say(
      `a change at ${String(watching.size)} hosts, ${String(services * spreadNetworks.length)} endpoints: name at a host ${median(known).toFixed(0)} ms; at the last ${median(last.known).toFixed(0)} ms, rules ${median(last.ruled).toFixed(0)} ms; removed ${median(last.gone).toFixed(0)} ms`,
    )
  }
}

const spreadService = (name: string, networks: readonly string[]) =>
  cluster.call('manager01', 'POST', '/v1.41/services/create', {
    json: {
      Name: name,
      TaskTemplate: {
        ContainerSpec: { Image: busybox },
        Networks: networks.map((network) => ({ Target: network })),
      },
      Mode: { Replicated: { Replicas: 0 } },
    },
    timeoutMs: 60_000,
  })

async function rollingUpdate(): Promise<void> {
  await docker('service', 'scale', 'web=3')
  const load = wrk(cluster, clientHost, `http://${cluster.address(emptyHost)}:8080/`, {
    seconds: 20,
    isNewEach: true,
  })
  await docker('service', 'update', '--quiet', '--force', '--update-order', 'start-first', 'web')
  const { perSecond, failed } = await load
  say(`rolling update under load: ${perSecond.toFixed(0)} requests/s, ${String(failed)} failed`)
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  virtual: async () => {
    await virtualAddress(3)
    await virtualAddress(300)
  },
  mesh,
  overlay,
  names,
  propagation: async () => {
    await propagation(10)
    await propagation(1_000)
  },
  update: rollingUpdate,
  spread,
}
for (const [name, measure] of Object.entries(parts))
  if (chosen.length === 0 ? name !== 'spread' : chosen.includes(name)) await measure()
