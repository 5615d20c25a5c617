/**
 * A whole manager on a real etcd of one, with 200 agents in another process that acknowledge over the real protocol:
 * from `service create` to all tasks running, with what the manager then weighs; and how long lists of 1,000 services
 * and 10,000 tasks take over its API. Run: mure bench manager [tasks, default 10000] | lists
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { LocalNode } from '#api/backend.ts'
import { startDockerFacade } from '#api/docker/facade.ts'
import { Engine } from '#engine/engine.ts'
import { silentLogger } from '#lib/logger.ts'
import { sleep, startWait } from '#lib/wait.ts'
import type { ServiceSpec } from '#model/service.ts'
import { startBenchManager } from './support/bench-manager.ts'
import type { BenchManager } from './support/bench-manager.ts'
import { median, say, seconds, timeUntil } from './support/measure.ts'

const mode = process.argv[2] ?? '10000'
const nodes = 200
const mebibyte = 2 ** 20

const specOf = (name: string, replicas: number): ServiceSpec => ({
  name,
  labels: {},
  template: {
    containers: [{ name: '', image: 'registry:5000/web:latest', env: ['KIND=bench'], labels: {} }],
  },
  mode: { type: 'replicated', replicas },
})

/** Milliseconds from the first `service create` until all tasks run. */
async function fill({ manager }: BenchManager, services: number, replicas: number): Promise<number> {
  const total = services * replicas
  let running = 0
  using _count = manager.mirror.subscribe((events) => {
    for (const { kind, before, after } of events) {
      if (kind !== 'task') continue
      const was = (before as { status: { state: string } } | undefined)?.status.state === 'running'
      const is = (after as { status: { state: string } } | undefined)?.status.state === 'running'
      running += Number(is) - Number(was)
    }
  })
  const started = performance.now()
  for (let index = 0; index < services; index++) {
    using wait = startWait({ timeoutMs: 60_000, what: 'a service to be stored' })
    await manager.control.createService(specOf(`s${String(index)}`, replicas), { wait })
  }
  await timeUntil(`${String(total)} tasks to run`, async () => running >= total, { limitMs: 600_000 })
  return performance.now() - started
}

const untilReady = ({ manager }: BenchManager) =>
  timeUntil('all agents to be ready', async () => {
    const ready = [...manager.mirror.list('node')].filter(({ status }) => status.state === 'ready')
    return ready.length >= nodes
  })

async function residentMib(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? 0) / 1024
}

/** Processor time of a process so far, in hundredths of a second as the kernel counts it. */
async function cpuSeconds(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** What is in use once all that can go is gone. */
async function heapBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  await sleep(1_000)
  collect()
  return process.memoryUsage().heapUsed
}

async function tasks(count: number): Promise<void> {
  await using bench = await startBenchManager(nodes)
  await untilReady(bench)
  const before = await heapBytes()
  const services = Math.max(1, count / 10_000)
  const processes = [process.pid, bench.member.pid, bench.fleetPid]
  const cpuBefore = await Promise.all(processes.map(cpuSeconds))
  const ms = await fill(bench, services, count / services)
  const cpuAfter = await Promise.all(processes.map(cpuSeconds))
  const [manager, etcd, agents] = cpuAfter.map((after, index) => (after - (cpuBefore[index] ?? 0)).toFixed(1))
  const resident = await residentMib(process.pid)
  const after = await heapBytes()
  say(
    `${count.toLocaleString('en')} tasks of ${String(services)} services on ${String(nodes)} nodes: all running after ${seconds(ms)}`,
  )
  say(`processor time: manager ${String(manager)} s, etcd ${String(etcd)} s, agents ${String(agents)} s`)
  say(
    `resident then: manager ${resident.toFixed(0)} MiB, etcd ${(await residentMib(bench.member.pid)).toFixed(0)} MiB`,
  )
  say(
    `in use after a collection: ${(after / mebibyte).toFixed(0)} MiB, ${((after - before) / count / 1024).toFixed(2)} KiB a task`,
  )
}

async function lists(): Promise<void> {
  await using bench = await startBenchManager(nodes)
  await untilReady(bench)
  await fill(bench, 1_000, 10)
  const folder = await mkdtemp(join(tmpdir(), 'mure-bench-api-'))
  const socketPath = join(folder, 'docker.sock')
  using engine = new Engine(join(folder, 'none.sock'))
  await using _facade = await startDockerFacade({
    hosts: [`unix://${socketPath}`],
    tls: undefined,
    engine,
    node: nodeOf(bench),
    logger: silentLogger,
  })
  for (const [what, path] of [
    ['service ls', '/v1.44/services?status=true'],
    ['service ps of all tasks', '/v1.44/tasks'],
  ] as const) {
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 20; round++) {
      const started = performance.now()
      bytes = await get(socketPath, path)
      times.push(performance.now() - started)
    }
    say(`${what} (GET ${path}): ${median(times).toFixed(0)} ms, ${(bytes / mebibyte).toFixed(1)} MiB`)
  }
  await rm(folder, { recursive: true, force: true })
}

function get(socketPath: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path, headers: { host: 'docker' } }, (response) => {
      let bytes = 0
      response.on('data', (chunk: Buffer) => (bytes += chunk.length))
      response.once('end', () => {
        if (response.statusCode === 200) resolve(bytes)
        else reject(new Error(`GET ${path}: ${String(response.statusCode)}`))
      })
    })
      .once('error', reject)
      .end()
  })
}

/** Lists are all that is asked of it. */
function nodeOf({ manager, nodeId }: BenchManager): LocalNode {
  const node: Pick<LocalNode, 'info' | 'settled' | 'control' | 'followView'> = {
    info: () => ({
      state: 'active',
      nodeId,
      nodeAddress: '127.0.0.1',
      isManager: true,
      isStale: false,
      error: '',
      remoteManagers: [],
    }),
    settled: () => Promise.resolve(),
    control: () => manager.control,
    followView: (listener) => {
      listener(manager.mirror)
      return { [Symbol.dispose]: () => undefined }
    },
  }
  return node as LocalNode
}

await (mode === 'lists' ? lists() : tasks(Number(mode)))
process.exit(0)
