import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { seededRandom } from '#lib/random.ts'
import { meetsConstraints, parseConstraints } from '#model/constraint.ts'
import type { ServiceId } from '#model/id.ts'
import { aNode, aTask } from '#model/testing/builders.ts'
import { nodeInfos } from './cluster-nodes.ts'
import { schedule } from './pipeline.ts'
import { compareScores } from './strategies/strategy.ts'

const zones = ['a', 'b', 'c']
const containers = [{ name: '', image: 'busybox' }]

/** `service`: with all that its tasks ask of a node. */
const tasksOf = (
  service: number,
  count: number,
  constraints: readonly string[],
  strategy: string,
  cpus: number,
) =>
  Array.from({ length: count }, (_, slot) =>
    aTask({
      serviceId: `s${String(service)}` as ServiceId,
      serviceLabels: { 'mure.strategy': strategy },
      slot: slot + 1,
      spec: { containers, placement: { constraints }, resources: { reservations: { cpuNano: cpus * 1e9 } } },
    }),
  )

test('services of one batch that ask this and that of a node each get the best that there is at their turn', () => {
  const machine = fc.record({
    zone: fc.constantFrom(...zones),
    cpus: fc.integer({ min: 0, max: 12 }),
    isDrained: fc.boolean(),
  })
  const service = fc.record({
    count: fc.integer({ min: 1, max: 8 }),
    cpus: fc.nat(2),
    // Other strategies place from no order: the orders have to hear of it all the same.
    strategy: fc.constantFrom('spread', 'spread', 'binpack'),
    constraints: fc.subarray(zones.flatMap((zone) => [`node.labels.zone!=${zone}`])),
  })
  fc.assert(
    fc.property(
      fc.array(machine, { minLength: 1, maxLength: 12 }),
      fc.array(service, { minLength: 1, maxLength: 10 }),
      fc.nat(),
      (machines, services, seed) => {
        const nodes = machines.map(({ zone, cpus, isDrained }) =>
          aNode({ cpus, labels: { zone }, availability: isDrained ? 'drain' : 'active' }),
        )
        const tasks = services.flatMap(({ count, constraints, strategy, cpus }, index) =>
          tasksOf(index, count, constraints, strategy, cpus),
        )
        const { placed, unplaced } = schedule(tasks, nodeInfos(nodes, []), {
          strategy: 'spread',
          random: seededRandom(seed),
        })
        assert.equal(placed.length + unplaced.length, tasks.length)
        // Seen again one by one, with every node looked at each time.
        const replay = nodeInfos(nodes, [])
        const suiting = (task: (typeof tasks)[number]) =>
          [...replay.values()].filter(
            ({ node, cpuNanoFree }) =>
              node.spec.availability === 'active' &&
              cpuNanoFree >= (task.spec.resources?.reservations?.cpuNano ?? 0) &&
              meetsConstraints(node, parseConstraints(task.spec.placement?.constraints ?? [])),
          )
        for (const { task, nodeId } of placed) {
          const candidates = suiting(task)
          const chosen = candidates.find(({ node }) => node.meta.id === nodeId)
          assert.ok(chosen, 'a node that does not suit')
          if (task.serviceLabels['mure.strategy'] === 'spread')
            for (const other of candidates)
              assert.ok(
                compareScores(
                  [chosen.tasksOf(task.serviceId), chosen.tasks],
                  [other.tasksOf(task.serviceId), other.tasks],
                ) <= 0,
                'a better node was left out',
              )
          chosen.add(task)
        }
        for (const { task } of unplaced) assert.deepEqual(suiting(task), [])
      },
    ),
    { numRuns: 300 },
  )
})

test('more different wishes than orders are kept', () => {
  const nodes = Array.from({ length: 10 }, () => aNode({ cpus: 1_000 }))
  const tasks = [0, 1].flatMap((round) =>
    Array.from({ length: 100 }, (_, wish) =>
      tasksOf(100 * round + wish, 1, [`node.labels.odd!=${String(wish)}`], 'spread', 1),
    ).flat(),
  )
  const infos = nodeInfos(nodes, [])
  assert.equal(schedule(tasks, infos, { strategy: 'spread', random: seededRandom(1) }).placed.length, 200)
  assert.deepEqual(
    [...infos.values()].map((info) => info.tasks),
    nodes.map(() => 20),
  )
})
