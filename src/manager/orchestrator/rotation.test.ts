import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { seededRandom } from '#lib/random.ts'
import type { Change } from '#model/change.ts'
import { withVersions } from '#model/file-version.ts'
import { newId } from '#model/id.ts'
import type { SecretId } from '#model/id.ts'
import type { Service } from '#model/service.ts'
import type { Task } from '#model/task.ts'
import { aNode, aService, aTask, testEpoch } from '#model/testing/builders.ts'
import { reconcileService } from './reconcile.ts'

const secretId = newId<SecretId>(seededRandom(9))
const node = aNode()

const before = aService({
  replicas: 2,
  update: { monitorMs: 5_000, failureAction: 'rollback' },
  template: { containers: [{ name: '', image: 'x', secrets: [{ secretId, secretName: 'key' }] }] },
})

/** The service after its secret was given new data at the epoch. */
function rotated(how: string): Service {
  const generation = 2
  return {
    ...before,
    meta: { ...before.meta, generation },
    spec: {
      ...before.spec,
      labels: { 'mure.rotate': how },
      template: withVersions(before.spec.template, () => 1),
    },
    status: {
      previousSpec: { ...before.spec, labels: { 'mure.rotate': how } },
      previousGeneration: 1,
      rotated: { generation, at: testEpoch },
    },
  }
}

const taskIn = (slot: number): Task =>
  aTask({
    serviceId: before.meta.id,
    spec: before.spec.template,
    slot,
    nodeId: node.meta.id,
    state: 'running',
  })

const decide = (service: Service, tasks: readonly Task[], ms: number): readonly Change[] =>
  reconcileService(
    {
      service,
      tasks,
      node: () => node,
      nodes: () => [node],
      taskHistoryLimit: 5,
      drainOrder: 'start-first',
    },
    { now: instant(testEpoch + ms), random: seededRandom(1) },
  ).changes

/** The store and the agents, in a few lines: what was decided is so, and files arrive at once. */
class Course {
  service: Service
  tasks = new Map<string, Task>()
  ms = 2_000
  error: string | undefined

  constructor(service: Service) {
    this.service = service
    for (const task of [taskIn(1), taskIn(2)]) this.tasks.set(task.meta.id, task)
  }

  step(): number {
    this.ms += 6_000
    const changes = decide(this.service, [...this.tasks.values()], this.ms)
    for (const change of changes) {
      if (change.op === 'remove') this.tasks.delete(change.id)
      else if (change.object.kind === 'service') this.service = change.object
      else if (change.object.kind === 'task') this.tasks.set(change.object.meta.id, this.#seen(change.object))
    }
    return changes.length
  }

  settle(): void {
    for (let step = 0; this.step() > 0; step++) assert.ok(step < 50, 'it settles')
  }

  #seen(task: Task): Task {
    if (task.refresh === undefined) return task
    const { generation } = task.refresh
    const at = instant(testEpoch + this.ms)
    const files = { generation, at, ...(this.error === undefined ? {} : { error: this.error }) }
    return { ...task, status: { ...task.status, files } }
  }
}

test('new data makes new tasks, once the calls of one deploy are over', () => {
  const soon = decide(rotated('restart'), [taskIn(1), taskIn(2)], 100)
  assert.deepEqual(
    soon.map((change) => change.op !== 'remove' && change.object.kind),
    ['service'],
  )
  const later = decide(rotated('restart'), [taskIn(1), taskIn(2)], 1_100)
  const made = later.flatMap((change) => (change.op === 'create' ? [change.object as Task] : []))
  assert.equal(made.length, 1)
  assert.equal(made[0]?.spec.containers[0]?.secrets?.[0]?.version, 1)
})

test('by signal: the same tasks are told, one after the other, and the update completes', () => {
  const course = new Course(rotated('signal:HUP'))
  const tasks = new Set(course.tasks.keys())
  course.step()
  const told = [...course.tasks.values()].filter((task) => task.refresh !== undefined)
  assert.deepEqual(
    told.map((task) => task.refresh),
    [{ generation: 2, versions: { [secretId]: 1 }, signal: 'HUP' }],
  )
  course.settle()
  assert.deepEqual(new Set(course.tasks.keys()), tasks)
  assert.equal(course.service.status.update?.state, 'completed')
  // Scaled afterwards, no task is taken for an old one.
  course.service = { ...course.service, meta: { ...course.service.meta, generation: 3 } }
  assert.equal(course.step(), 0)
})

test('files that cannot be written fail the update: spec and files go back together', () => {
  const course = new Course(rotated('file'))
  course.error = 'expanding secret key failed'
  course.step()
  course.step()
  assert.equal(course.service.status.update?.state, 'rollback_started')
  course.error = undefined
  course.settle()
  assert.equal(course.service.status.update.state, 'rollback_completed')
  assert.equal(course.service.spec.template.containers[0]?.secrets?.[0]?.version, undefined)
  for (const task of course.tasks.values()) assert.equal(task.refresh?.versions[secretId] ?? 0, 0)
})
