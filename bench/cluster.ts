/**
 * A cluster of real hosts beside Debian's Docker Swarm on the same lab in the same run, alternating, median of the
 * rounds: a worker's crash, a leader's crash, joining, scaling (beside a loop of raw engine calls), and what an idle
 * daemon costs. Run: mure bench cluster [rounds, default 5] [scale|worker|join|idle|leader …, default all]
 */
import { LabCluster } from './support/lab-cluster.ts'
import { median, say, seconds, timeUntil } from './support/measure.ts'
import { sleep } from '#lib/wait.ts'

const rounds = Number(process.argv[2] ?? 5)
const parts = process.argv.slice(3)
const isWanted = (part: string): boolean => parts.length === 0 || parts.includes(part)
const image = 'registry:5000/busybox:latest'
const kinds = ['mure', 'engine'] as const
type Kind = (typeof kinds)[number]
const nameOf = { mure: 'Mure', engine: 'Docker Swarm' } as const

const results = new Map<string, Record<string, number[]>>()
function note(what: string, who: string, ms: number): void {
  const of = results.get(what) ?? {}
  results.set(what, of)
  ;(of[who] ??= []).push(ms)
}

const create = (cluster: LabCluster, name: string, replicas: number) =>
  cluster.docker(
    'manager01',
    ...['service', 'create', '--detach', '--quiet', '--name', name, '--replicas', String(replicas)],
    ...['--no-resolve-image', image, 'sleep', '100000'],
  )

async function worker(cluster: LabCluster, kind: Kind): Promise<void> {
  await create(cluster, 'web', 9)
  const dead = await cluster.nodeId('worker02')
  await timeUntil('9 tasks', async () => (await cluster.running('manager01', 'web')).length === 9)
  const started = performance.now()
  await cluster.powerOff('worker02')
  await timeUntil('Down', async () => (await cluster.stateOf('manager01', 'worker02')) === 'down')
  note('worker crash: Down', nameOf[kind], performance.now() - started)
  await timeUntil('9 tasks elsewhere', async () => {
    const nodes = await cluster.running('manager01', 'web')
    return nodes.filter((node) => node !== dead).length === 9
  })
  note('worker crash: all tasks run elsewhere', nameOf[kind], performance.now() - started)
  await cluster.powerOn('worker02')
  await timeUntil('Ready', async () => (await cluster.stateOf('manager01', 'worker02')) === 'ready')
  await removed(cluster, 'web')
}

async function removed(cluster: LabCluster, service: string): Promise<void> {
  await cluster.docker('manager01', 'service', 'rm', service)
  for (const host of cluster.hosts)
    await timeUntil(`the containers of ${service} to go`, async () => {
      const all = await cluster.call<unknown[]>(host, 'GET', '/v1.41/containers/json?all=1', { engine: true })
      return all?.length === 0
    })
}

async function scale(cluster: LabCluster, kind: Kind): Promise<void> {
  await create(cluster, 'many', 6)
  await timeUntil('6 tasks', async () => (await cluster.running('manager01', 'many')).length === 6)
  const started = performance.now()
  await cluster.docker('manager01', 'service', 'scale', '--detach', 'many=30')
  // All processors are busy meanwhile, and each look takes from what it looks at.
  await timeUntil('30 tasks', async () => (await cluster.running('manager01', 'many')).length === 30, {
    everyMs: 50,
  })
  note('scale 6 to 30 on 3 hosts', nameOf[kind], performance.now() - started)
  await removed(cluster, 'many')
}

/** The same 24 containers by nothing but calls to the engines, a loop for each host. */
async function rawLoop(cluster: LabCluster): Promise<void> {
  const started = performance.now()
  const made = await Promise.all(
    cluster.hosts.map(async (host) => {
      const ids: string[] = []
      for (let count = 0; count < 8; count++) {
        const options = { engine: true, timeoutMs: 60_000 }
        const json = { Image: image, Cmd: ['sleep', '100000'] }
        const answer = await cluster.call<{ Id: string }>(host, 'POST', '/v1.41/containers/create', {
          ...options,
          json,
        })
        ids.push(answer?.Id ?? '')
        await cluster.call(host, 'POST', `/v1.41/containers/${answer?.Id ?? ''}/start`, options)
      }
      return { host, ids }
    }),
  )
  note('scale 6 to 30 on 3 hosts', 'raw engine calls', performance.now() - started)
  for (const { host, ids } of made)
    for (const id of ids)
      await cluster.call(host, 'DELETE', `/v1.41/containers/${id}?force=1`, { engine: true })
}

async function join(cluster: LabCluster, kind: Kind): Promise<void> {
  const id = await cluster.nodeId('worker01')
  await cluster.docker('worker01', 'swarm', 'leave')
  await timeUntil('Down', async () => (await cluster.stateOf('manager01', 'worker01')) === 'down')
  await cluster.docker('manager01', 'node', 'rm', '--force', id)
  const token = (await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')).trim()
  const started = performance.now()
  await cluster.docker('worker01', 'swarm', 'join', '--token', token, `${cluster.address('manager01')}:2377`)
  await timeUntil('Ready', async () => (await cluster.stateOf('manager01', 'worker01')) === 'ready')
  note('join to Ready', nameOf[kind], performance.now() - started)
}

async function leaderCrash(cluster: LabCluster, kind: Kind): Promise<void> {
  const nodes = await cluster.docker(
    'manager01',
    'node',
    'ls',
    '--format',
    '{{.Hostname}} {{.ManagerStatus}}',
  )
  const leader = /(\S+) Leader/.exec(nodes)?.[1] ?? ''
  const other = cluster.hosts.find((host) => host !== leader) ?? ''
  const write = (name: string) =>
    cluster.call(other, 'POST', '/v1.41/configs/create', {
      json: { Name: name, Data: 'eA==' },
      timeoutMs: 1_000,
    })
  let count = 0
  const started = performance.now()
  await cluster.powerOff(leader)
  await timeUntil(
    'a write',
    async () => (await write(`c${String(Date.now())}x${String((count += 1))}`)) !== undefined,
  )
  note('leader crash: the API writes again', nameOf[kind], performance.now() - started)
  await cluster.powerOn(leader)
  await timeUntil('the manager to be back', async () => {
    const listed = await cluster.call<{ ManagerStatus?: { Reachability?: string } }[]>(
      other,
      'GET',
      '/v1.41/nodes',
    )
    return listed?.filter((node) => node.ManagerStatus?.Reachability === 'reachable').length === 3
  })
  await sleep(2_000)
}

/** Resident memory in MiB and per cent of a core over some seconds, of mured and what it runs, by host. */
async function idle(cluster: LabCluster, host: string): Promise<{ mib: number; percent: number }> {
  const read = async () => {
    const text = await cluster.run(
      host,
      'sh',
      '-c',
      `for p in $(pgrep -f '[c]li/main.ts daemon|^etcd --name'); do
         echo $(awk '/VmRSS/{print $2}' /proc/$p/status) $(awk '{print $14+$15}' /proc/$p/stat); done`,
    )
    const rows = text
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    return { kib: sum(rows.map(([kib]) => kib ?? 0)), ticks: sum(rows.map(([, ticks]) => ticks ?? 0)) }
  }
  const before = await read()
  await sleep(10_000)
  const after = await read()
  return { mib: after.kib / 1024, percent: (after.ticks - before.ticks) / 10 }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

for (let round = 1; round <= rounds; round++) {
  for (const kind of round % 2 === 0 ? [...kinds].reverse() : kinds) {
    say(`round ${String(round)}: ${nameOf[kind]}`)
    await using cluster = await LabCluster.up('bench', kind, 1, 2)
    await Promise.all(cluster.hosts.map((host) => cluster.docker(host, 'pull', '-q', image)))
    if (isWanted('scale')) {
      if (kind === 'mure') await rawLoop(cluster)
      await scale(cluster, kind)
    }
    if (isWanted('worker')) await worker(cluster, kind)
    if (isWanted('join')) await join(cluster, kind)
    if (isWanted('idle') && kind === 'mure' && round === 1) {
      for (const host of ['manager01', 'worker02']) {
        const { mib, percent } = await idle(cluster, host)
        say(
          `idle ${host === 'manager01' ? 'manager with etcd' : 'agent'}: ${mib.toFixed(0)} MiB, ${percent.toFixed(1)}% of a core`,
        )
      }
    }
  }
  for (const kind of isWanted('leader') ? kinds : []) {
    await using cluster = await LabCluster.up('bench', kind, 3, 0)
    await leaderCrash(cluster, kind)
  }
}

for (const [what, of] of results) {
  const own = median(of[nameOf.mure] ?? [])
  const texts = Object.entries(of).map(([who, times]) => `${who} ${seconds(median(times))}`)
  const ratios = Object.entries(of)
    .filter(([who]) => who !== nameOf.mure)
    .map(([who, times]) => `${(own / median(times)).toFixed(2)} of ${who}`)
  say(`${what}: ${texts.join(', ')}; ${ratios.join(', ')}`)
}
