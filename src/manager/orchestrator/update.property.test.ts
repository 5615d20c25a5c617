import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { instant } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { seededRandom } from '#lib/random.ts'
import type { Service, UpdatePolicy } from '#model/service.ts'
import { compareStates, isTerminal } from '#model/task-state.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { reconcileService } from './reconcile.ts'

/** How the tasks of a spec fare. */
type Fate = 'good' | 'rejected' | 'fails-at-once' | 'fails-soon' | 'exits' | 'nowhere' | 'pulls-for-ever'

const node = aNode()

/** A world of one service: what is decided becomes so, and its tasks fare as their image does, in any order. */
class World {
  service: Service
  tasks = new Map<string, Task>()
  now = testEpoch
  readonly #random: Random
  readonly #fates: Readonly<Record<string, Fate>>

  constructor(seed: number, replicas: number, policy: UpdatePolicy, fates: Readonly<Record<string, Fate>>) {
    this.#random = seededRandom(seed)
    this.#fates = fates
    this.service = aService({ replicas, image: 'one', update: policy, rollback: { monitorMs: 1_000 } })
    for (let step = 0; step < 40; step++) this.step()
  }

  /** A new image, asked for by a person. */
  update(image: string): void {
    const { update: _, ...status } = this.service.status
    this.service = {
      ...this.service,
      meta: { ...this.service.meta, generation: this.service.meta.generation + 1 },
      spec: {
        ...this.service.spec,
        template: { ...this.service.spec.template, containers: [{ name: '', image }] },
      },
      status: { ...status, previousSpec: this.service.spec, previousGeneration: 1 },
    }
  }

  /** Decides until there is nothing left to decide, then lets a task move on, or the time pass. */
  step(): void {
    let wakeAt: number | undefined
    for (let turn = 0; ; turn++) {
      assert.ok(turn < 100, 'the orchestrator comes to rest')
      const verdict = reconcileService(
        {
          service: this.service,
          tasks: [...this.tasks.values()],
          node: () => node,
          nodes: () => [node],
          taskHistoryLimit: 5,
          drainOrder: 'start-first',
        },
        { now: instant(this.now), random: this.#random },
      )
      wakeAt = verdict.wakeAt
      for (const change of verdict.changes) {
        if (change.op === 'remove') this.tasks.delete(change.id)
        else if (change.object.kind === 'service') this.service = change.object
        else if (change.object.kind === 'task') this.tasks.set(change.object.meta.id, change.object)
      }
      this.check()
      if (verdict.changes.length === 0) break
    }
    const movable = [...this.tasks.values()].filter((task) => this.#next(task) !== undefined)
    const chosen = movable[this.#random.below(movable.length)]
    if (chosen !== undefined) this.#move(chosen)
    // What runs and fails soon does so within the monitor.
    this.now = instant(
      movable.length > 0 ? this.now + 50 : Math.max(this.now + 50, wakeAt ?? this.now + 60_000),
    )
  }

  check(): void {
    const { update } = this.service.spec
    const limit = update?.parallelism ?? 1
    const areAllGood = Object.values(this.#fates).every((of) => of === 'good')
    if (limit > 0 && areAllGood && this.service.status.update?.state === 'updating') {
      const onTheirWay = [...this.tasks.values()].filter(
        (task) =>
          task.cause === 'update' && isWanted(task) && compareStates(task.status.state, 'running') < 0,
      )
      assert.ok(onTheirWay.length <= limit, 'no more at a time than the policy allows')
    }
    for (const ofSlot of Map.groupBy(this.tasks.values(), (task) => task.slot).values()) {
      const wanted = ofSlot.filter((task) => !isTerminal(task.status.state) && isWanted(task))
      assert.ok(wanted.length <= 2, 'no more than the old and the new are wanted')
      if (this.service.spec.update?.order === 'start-first') continue
      const up = ofSlot.filter((task) => task.status.state === 'running' || task.status.state === 'starting')
      assert.ok(up.length <= 1, 'stop-first: never two at a time')
    }
  }

  get running(): Task[] {
    return [...this.tasks.values()].filter((task) => task.status.state === 'running' && isWanted(task))
  }

  #next(task: Task): TaskState | undefined {
    const { state } = task.status
    if (isTerminal(state)) return undefined
    if (!isWanted(task)) return 'shutdown'
    const fate = this.#fates[task.spec.containers[0]?.image ?? ''] ?? 'good'
    switch (state) {
      case 'new':
        return fate === 'nowhere' ? undefined : 'preparing'
      case 'preparing':
        return fate === 'rejected' ? 'rejected' : fate === 'pulls-for-ever' ? undefined : 'ready'
      case 'ready':
        return task.desiredState === 'ready' ? undefined : fate === 'fails-at-once' ? 'failed' : 'running'
      case 'running':
        return fate === 'fails-soon' ? 'failed' : fate === 'exits' ? 'complete' : undefined
      default:
        return undefined
    }
  }

  #move(task: Task): void {
    const state = this.#next(task) ?? task.status.state
    const since = instant(this.now)
    const containers =
      state === 'running'
        ? [{ name: '', containerId: 'c', pid: 1, startedAt: since }]
        : task.status.containers
    const nodeId = task.nodeId === '' ? node.meta.id : task.nodeId
    this.tasks.set(task.meta.id, { ...task, nodeId, status: { ...task.status, state, since, containers } })
  }
}

const isWanted = (task: Task): boolean => ['running', 'ready', 'complete'].includes(task.desiredState)

const fate = fc.constantFrom<Fate>(
  ...(['good', 'rejected', 'fails-at-once', 'fails-soon', 'exits', 'nowhere', 'pulls-for-ever'] as const),
)
const policy: fc.Arbitrary<UpdatePolicy> = fc.record({
  parallelism: fc.integer({ min: 0, max: 3 }),
  delayMs: fc.constantFrom(0, 500, 3_000),
  failureAction: fc.constantFrom('pause' as const, 'continue' as const, 'rollback' as const),
  monitorMs: fc.constantFrom(0, 1_000, 5_000),
  maxFailureRatio: fc.constantFrom(0, 0.4, 1),
  order: fc.constantFrom('stop-first' as const, 'start-first' as const),
})

test('every update ends, whatever becomes of its tasks, in the state that its policy says', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), policy, fate, (seed, replicas, rules, of) => {
      const world = new World(seed, replicas, rules, { two: of })
      assert.equal(world.running.length, replicas)
      world.update('two')
      for (let step = 0; step < 300; step++) world.step()
      const state = world.service.status.update?.state
      assert.ok(
        state === 'completed' || state === 'paused' || state === 'rollback_completed',
        `it ended: ${String(state)}`,
      )
      if (of === 'good') assert.equal(state, 'completed')
      if (rules.failureAction === 'continue') assert.equal(state, 'completed')
      if (rules.failureAction !== 'rollback') assert.notEqual(state, 'rollback_completed')
      if (state === 'rollback_completed' || of === 'good') {
        const image = of === 'good' ? 'two' : 'one'
        assert.equal(
          world.running.filter((task) => task.spec.containers[0]?.image === image).length,
          replicas,
        )
      }
    }),
    { numRuns: 40 },
  )
})

test('a task that is not concerned stays', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 4 }), policy, (seed, replicas, rules) => {
      const world = new World(seed, replicas, rules, {})
      const before = world.running.map((task) => task.meta.id).sort()
      const { service } = world
      world.service = {
        ...service,
        meta: { ...service.meta, generation: service.meta.generation + 1 },
        spec: { ...service.spec, labels: { changed: 'yes' } },
      }
      for (let step = 0; step < 20; step++) world.step()
      assert.deepEqual(world.running.map((task) => task.meta.id).sort(), before)
    }),
    { numRuns: 15 },
  )
})
