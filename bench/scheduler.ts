/**
 * The scheduler alone, on one core: 100,000 tasks of 100 services with constraints and reservations on 1,000 to 50,000
 * nodes, and the same without; in one batch, and as a manager's loop has them that is not behind, a service after the other.
 * Processor time, best of the rounds, and a task's beside the logarithm of the nodes.
 * Run: mure bench scheduler [rounds, default 3] [--svg FILE]
 */
import { writeFile } from 'node:fs/promises'
import { seededRandom } from '#lib/random.ts'
import type { ServiceId } from '#model/id.ts'
import type { Node } from '#model/node.ts'
import type { TaskTemplate } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aNode, aTask } from '#model/testing/builders.ts'
import { nodeInfos } from '#manager/scheduler/cluster-nodes.ts'
import { schedule } from '#manager/scheduler/pipeline.ts'
import { growthChart } from './support/growth-chart.ts'
import { say, seconds } from './support/measure.ts'

const rounds = Number(process.argv[2] ?? 3)
const svgAt = process.argv.indexOf('--svg')
const services = 100
const tasksPerService = 1_000
const taskCount = services * tasksPerService

function nodesOf(count: number): Node[] {
  return Array.from({ length: count }, (_, index) =>
    aNode({
      hostname: `node${String(index)}`,
      labels: { zone: `z${String(index % 10)}`, disk: index % 2 === 0 ? 'ssd' : 'hdd' },
      // Room for all tasks even on the smallest cluster.
      cpus: 1_000,
      memoryBytes: 2 ** 40,
    }),
  )
}

function tasksOf(isConstrained: boolean): Task[] {
  const tasks: Task[] = []
  for (let service = 0; service < services; service++) {
    const spec: TaskTemplate = {
      containers: [{ name: '', image: 'busybox' }],
      ...(isConstrained
        ? {
            placement: {
              constraints: ['node.labels.disk==ssd', `node.labels.zone!=z${String(service % 10)}`],
            },
            resources: { reservations: { cpuNano: 1e8, memoryBytes: 2 ** 20 } },
          }
        : {}),
    }
    const like = aTask({ serviceId: `service${String(service)}` as ServiceId, spec })
    for (let slot = 1; slot <= tasksPerService; slot++)
      tasks.push({
        ...like,
        slot,
        meta: { ...like.meta, id: `${String(service)}.${String(slot)}` as Task['meta']['id'] },
      })
  }
  return tasks
}

/** Milliseconds of processor time to place all of them: what others do on the machine does not count. */
function measure(nodes: readonly Node[], tasks: readonly Task[], batchSize = taskCount): number {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const infos = nodeInfos(nodes, [])
    const random = seededRandom(round)
    let placedCount = 0
    const started = process.cpuUsage()
    for (let from = 0; from < taskCount; from += batchSize) {
      const batch = tasks.slice(from, from + batchSize)
      placedCount += schedule(batch, infos, { strategy: 'spread', random }).placed.length
    }
    const { user, system } = process.cpuUsage(started)
    best = Math.min(best, (user + system) / 1_000)
    if (placedCount !== taskCount) throw new Error(`only ${String(placedCount)} tasks were placed`)
  }
  return best
}

const sizes = [1_000, 5_000, 10_000, 50_000]
const constrained: number[] = []
const tasks = { plain: tasksOf(false), constrained: tasksOf(true) }
for (const size of sizes) {
  const nodes = nodesOf(size)
  const plain = measure(nodes, tasks.plain)
  const ms = measure(nodes, tasks.constrained)
  const oneByOne = measure(nodes, tasks.constrained, tasksPerService)
  constrained.push(ms)
  say(
    `${size.toLocaleString('en')} nodes: ${seconds(ms)} with constraints and reservations, ${seconds(plain)} without, ${seconds(oneByOne)} service by service; ` +
      `${((1_000 * ms) / taskCount).toFixed(1)} µs a task, ${((1_000 * ms) / taskCount / Math.log2(size)).toFixed(2)} µs by log2 of the nodes`,
  )
}
if (svgAt > 0) {
  const file = process.argv[svgAt + 1] ?? 'scheduler.svg'
  const points = sizes.map((size, index) => ({ x: size, y: (1_000 * (constrained[index] ?? 0)) / taskCount }))
  await writeFile(file, growthChart(points, { x: 'nodes', y: 'µs a task' }))
  say(file)
}
