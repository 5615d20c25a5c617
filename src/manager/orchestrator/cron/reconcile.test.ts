import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import type { Service } from '#model/service.ts'
import type { TaskState } from '#model/task-state.ts'
import type { Task } from '#model/task.ts'
import { aNode, aService, testEpoch } from '#model/testing/builders.ts'
import { reconcileService } from '../reconcile.ts'

const nodes = [aNode({ hostname: 'a' }), aNode({ hostname: 'b' })]

/** The store, the scheduler and the agents in a few lines. */
class Course {
  service: Service
  tasks: Task[] = []
  ms = 0
  readonly #random = seededRandom(3)

  constructor(
    labels: Record<string, string> = {},
    mode: Service['spec']['mode'] = { type: 'replicated-job' },
  ) {
    const all = { 'mure.schedule': '*/5 * * * *', ...labels }
    this.service = aService({
      labels: all,
      mode,
      template: { containers: [{ name: '', image: 'x' }], restart: { maxAttempts: 1, delayMs: 0 } },
    })
    this.settle()
  }

  settle(): void {
    for (let turn = 0; this.#turn() > 0; turn++) assert.ok(turn < 30, 'it settles')
  }

  to(minutes: number): this {
    this.ms = minutes * 60_000
    this.settle()
    return this
  }

  /** All tasks that run end so. */
  end(state: TaskState): this {
    this.tasks = this.tasks.map((task) =>
      task.status.state === 'running' ? { ...task, status: { ...task.status, state } } : task,
    )
    this.settle()
    return this
  }

  get runs(): string[] {
    return (this.service.status.cron?.runs ?? []).map((run) => `${String(run.iteration)} ${run.state}`)
  }

  get running(): number {
    return this.tasks.filter((task) => task.status.state === 'running').length
  }

  #turn(): number {
    const { changes } = reconcileService(
      {
        service: this.service,
        tasks: [...this.tasks],
        node: (id) => nodes.find((node) => node.meta.id === id),
        nodes: () => nodes,
        taskHistoryLimit: 5,
        drainOrder: 'start-first',
      },
      { now: instant(testEpoch + this.ms), random: this.#random },
    )
    for (const change of changes) {
      if (change.op === 'remove') this.tasks = this.tasks.filter((task) => task.meta.id !== change.id)
      else if (change.object.kind === 'service') this.service = change.object
      else if (change.object.kind === 'task') {
        const seen = asSeen(change.object)
        this.tasks = [...this.tasks.filter((task) => task.meta.id !== seen.meta.id), seen]
      }
    }
    return changes.length
  }
}

function asSeen(task: Task): Task {
  const nodeId = task.nodeId === '' ? (nodes[0]?.meta.id ?? '') : task.nodeId
  const isWanted = task.desiredState === 'complete' || task.desiredState === 'running'
  const state: TaskState = isWanted ? 'running' : 'shutdown'
  return task.status.state === 'new' || (!isWanted && task.status.state === 'running')
    ? { ...task, nodeId, status: { ...task.status, state } }
    : task
}

test('nothing runs before its time; then a run does, and the next when its time has come', () => {
  const course = new Course()
  assert.deepEqual(course.runs, [])
  assert.deepEqual(course.to(4.9).runs, [])
  assert.deepEqual(course.to(5).runs, ['1 running'])
  assert.equal(course.running, 1)
  assert.deepEqual(course.end('complete').runs, ['1 complete'])
  assert.deepEqual(course.to(9).runs, ['1 complete'])
  assert.deepEqual(course.to(10).runs, ['1 complete', '2 running'])
  assert.equal(course.service.status.job?.iteration, 2)
})

test('runs that meet: left out, side by side, or one in the place of the other', () => {
  const course = (concurrency: string) =>
    new Course({ 'mure.schedule.concurrency': concurrency }).to(5).to(10)
  assert.deepEqual([course('forbid').runs, course('forbid').running], [['1 running'], 1])
  assert.deepEqual([course('allow').runs, course('allow').running], [['1 running', '2 running'], 2])
  assert.deepEqual([course('replace').runs, course('replace').running], [['1 replaced', '2 running'], 1])
})

test('a failed run is tried as often as the policy says, and is told', () => {
  const course = new Course().to(5).end('failed')
  assert.deepEqual(course.runs, ['1 running'])
  assert.deepEqual(course.end('failed').runs, ['1 failed'])
  assert.equal(course.running, 0)
})

test('history is kept to its limits, with its tasks', () => {
  const course = new Course({ 'mure.schedule.history.complete': '2' })
  for (let run = 1; run <= 6; run++) course.to(run * 5).end('complete')
  assert.deepEqual(course.runs, ['5 complete', '6 complete'])
  assert.deepEqual(
    course.tasks.map((task) => task.jobIteration),
    [5, 6],
  )
})

test('after a time without a leader the latest run is made up for, if it is not too late', () => {
  assert.deepEqual(new Course().to(17).runs, ['1 running'])
  assert.deepEqual(new Course({ 'mure.schedule.deadline': '1m' }).to(17).runs, [])
})

test('paused, nothing begins; afterwards what is past stays past', () => {
  const course = new Course({ 'mure.schedule.paused': 'true' }).to(12)
  assert.deepEqual(course.runs, [])
  const { 'mure.schedule.paused': _, ...labels } = course.service.spec.labels
  course.service = { ...course.service, spec: { ...course.service.spec, labels } }
  assert.deepEqual(course.to(13).runs, [])
  assert.deepEqual(course.to(15).runs, ['1 running'])
})

test('a run by hand', () => {
  const course = new Course()
  const { cron } = course.service.status
  assert.ok(cron !== undefined)
  course.service = {
    ...course.service,
    status: { ...course.service.status, cron: { ...cron, requested: true } },
  }
  assert.deepEqual(course.to(1).runs, ['1 running'])
  assert.equal(course.service.status.cron?.requested, undefined)
  assert.equal(course.service.status.cron?.runs[0]?.scheduledAt, undefined)
})

test('plain and global services run by the clock too', () => {
  const plain = new Course({}, { type: 'replicated', replicas: 3 }).to(5)
  assert.equal(plain.running, 3)
  assert.deepEqual(plain.tasks.map((task) => task.slot).sort(), [1, 2, 3])
  assert.deepEqual(plain.end('complete').runs, ['1 complete'])
  const global = new Course({}, { type: 'global' }).to(5)
  assert.equal(global.running, 2)
  assert.deepEqual(global.end('complete').to(9).runs, ['1 complete'])
  assert.equal(global.running, 0)
})
