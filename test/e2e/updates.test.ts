import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { root } from '#cli/tool.ts'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
const busybox = 'registry:5000/busybox:latest'

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eupdates', managers: 1, workers: 1 })
  // Its time comes while the other tests go on.
  await create(
    '--name',
    'clock',
    '--mode',
    'replicated-job',
    '--label',
    'mure.schedule=* * * * *',
    busybox,
    'true',
  )
})
after(() => cluster[Symbol.asyncDispose]())

const docker = (...args: string[]) => cluster.docker('manager01', ...args)
const mure = (...args: string[]) => cluster.run('manager01', `${root}/mure`, ...args)
const create = (...args: string[]) =>
  docker('service', 'create', '-q', '-d', '--stop-grace-period', '0s', ...args)
const update = (...args: string[]) => docker('service', 'update', '-q', '-d', ...args)

const ended = (service: string, state: string, timeoutMs = 60_000) =>
  cluster.until(
    `${service}: ${state}`,
    async () => {
      const said = await docker(
        'service',
        'inspect',
        '--format',
        '{{if .UpdateStatus}}{{.UpdateStatus.State}}: {{.UpdateStatus.Message}}{{end}}',
        service,
      )
      return said.startsWith(`${state}:`) || said
    },
    timeoutMs,
  )
const message = (service: string) =>
  docker('service', 'inspect', '--format', '{{.UpdateStatus.Message}}', service)

/** Of the service's tasks that are to run: id, node, state. */
async function wanted(service: string): Promise<string[][]> {
  const text = await docker(
    'service',
    'ps',
    '--filter',
    'desired-state=running',
    '--format',
    '{{.ID}}|{{.Node}}|{{.CurrentState}}|{{.Image}}',
    service,
  )
  return text === '' ? [] : text.split('\n').map((line) => line.split('|'))
}

const policy = ['--update-monitor', '2s', '--rollback-monitor', '0s', '--restart-delay', '0s']

test('updates that fail end as their policy says: an image that is not there, a health check that never passes, an end at once', async () => {
  for (const [name, action] of [
    ['paused', 'pause'],
    ['back', 'rollback'],
  ] as const)
    await create('--name', name, ...policy, '--update-failure-action', action, busybox, 'sleep', '100000')
  for (const name of ['paused', 'back']) await cluster.untilRunning('manager01', name, 1)
  const [before] = await wanted('back')

  await update('--no-resolve-image', '--image', 'registry:5000/nothing:1', 'paused')
  await ended('paused', 'paused')
  assert.match(await message('paused'), /^update paused due to failure or early termination of task \w{25}$/)
  // Its image could not be had, so the old task was not stopped.
  assert.equal((await wanted('paused')).filter(([, , state]) => state?.startsWith('Running')).length, 1)
  assert.match(
    await docker('service', 'ps', '--no-trunc', '--format', '{{.CurrentState}} {{.Error}}', 'paused'),
    /Rejected.*No such image: registry:5000\/nothing:1/,
  )

  await update('--no-resolve-image', '--image', 'registry:5000/nothing:1', 'back')
  await ended('back', 'rollback_completed')
  assert.equal((await wanted('back'))[0]?.[0], before?.[0], 'the task that ran all the time runs on')

  await update(
    ...[
      '--health-cmd',
      'false',
      '--health-interval',
      '200ms',
      '--health-retries',
      '2',
      '--health-timeout',
      '5s',
    ],
    'back',
  )
  await ended('back', 'rollback_completed')
  await update('--args', 'false', 'back')
  await ended('back', 'rollback_completed')
  await cluster.untilRunning('manager01', 'back', 1)

  await update('--image', busybox, '--args', 'sleep 200000', 'paused')
  await ended('paused', 'completed')
  await docker('service', 'rm', 'paused', 'back')
})

test('with a port of the host the new task waits, made ready, for the old one to stop', async () => {
  await create(
    ...['--name', 'host', '--constraint', 'node.role==worker', '--update-order', 'start-first'],
    ...['--update-monitor', '0s', '--publish', 'mode=host,published=8091,target=8080', webImage],
  )
  await cluster.untilRunning('manager01', 'host', 1)
  await update('--env-add', 'A=1', 'host')
  await ended('host', 'completed')
  await cluster.untilRunning('manager01', 'host', 1)
  const states = await docker('service', 'ps', '--format', '{{.DesiredState}} {{.Error}}', 'host')
  assert.deepEqual(
    states.split('\n').map((line) => line.trim()),
    ['Running', 'Shutdown'],
  )
  await docker('service', 'rm', 'host')
})

test('a rollback names again what it needs, or is refused and changes nothing', async () => {
  await cluster.run('manager01', 'sh', '-c', 'echo s | docker secret create gone -')
  await create('--name', 'needy', '--secret', 'gone', busybox, 'sleep', '100000')
  await update('--secret-rm', 'gone', 'needy')
  await docker('secret', 'rm', 'gone')
  assert.match(
    await cluster.refused('manager01', 'service', 'rollback', '-d', 'needy'),
    /secret not found: gone/,
  )
  await docker('service', 'rm', 'needy')
})

test("docker restart, stop and kill on a task's container make no second one", async () => {
  await create('--name', 'by-hand', '--restart-delay', '0s', busybox, 'sleep', '100000')
  await cluster.untilRunning('manager01', 'by-hand', 1)
  const container = async () => {
    const [[task = ''] = []] = await wanted('by-hand')
    return docker('inspect', '--type', 'task', '--format', '{{.Status.ContainerStatus.ContainerID}}', task)
  }
  const first = await container()
  const [task] = await wanted('by-hand')
  await docker('restart', '-t', '0', first)
  await cluster.until(
    'it to run',
    async () => (await docker('inspect', '-f', '{{.State.Running}}', first)) === 'true',
  )
  assert.deepEqual(
    (await wanted('by-hand')).map(([id]) => id),
    [task?.[0]],
  )
  for (const how of ['stop', 'kill']) {
    const before = await container()
    await docker(how, ...(how === 'stop' ? ['-t', '0'] : []), before)
    await cluster.until('another', async () => {
      const tasks = await wanted('by-hand')
      const [only] = tasks
      if (tasks.length !== 1 || !only?.[2]?.startsWith('Running')) return JSON.stringify(tasks)
      return (await container()) !== before
    })
  }
  const all = await docker('service', 'ps', '-q', 'by-hand')
  assert.equal(all.split('\n').length, 3)
  await docker('service', 'rm', 'by-hand')
})

test('labels that change move tasks; a paused node keeps what it has', async () => {
  await docker('node', 'update', '--label-add', 'zone=a', 'worker01')
  await create('--name', 'zoned', '--constraint', 'node.labels.zone==a', busybox, 'sleep', '100000')
  await cluster.untilRunning('manager01', 'zoned', 1)
  await docker('node', 'update', '--label-add', 'zone=a', 'manager01')
  await docker('node', 'update', '--availability', 'pause', 'manager01')
  assert.deepEqual(await cluster.runningOn('manager01', 'zoned'), ['worker01'])
  await docker('node', 'update', '--availability', 'active', 'manager01')
  await docker('node', 'update', '--label-rm', 'zone', 'worker01')
  await cluster.until('it to move', async () => {
    const nodes = await cluster.runningOn('manager01', 'zoned')
    return nodes.join() === 'manager01' || nodes.join()
  })
  await docker('node', 'update', '--availability', 'pause', 'manager01')
  await docker('service', 'scale', '-d', 'zoned=2')
  await cluster.until('the second to wait', async () =>
    /no suitable node/.test(await docker('service', 'ps', '--no-trunc', '--format', '{{.Error}}', 'zoned')),
  )
  assert.deepEqual(await cluster.runningOn('manager01', 'zoned'), ['manager01'])
  await docker('node', 'update', '--availability', 'active', 'manager01')
  await docker('service', 'rm', 'zoned')
})

test('a service that runs by the clock: by its schedule, by hand, and not while it is paused', async () => {
  assert.match(
    await cluster.refused(
      ...(['manager01', 'service', 'create', '-d', '--label', 'mure.schedule=61 * * * *', busybox] as const),
    ),
    /mure\.schedule: "61 \* \* \* \*" is not understood/,
  )
  await cluster.until('its time to come', async () => /complete/.test(await mure('cron', 'ls')), 90_000)
  assert.match(await mure('cron', 'pause', 'clock'), /clock is paused/)
  assert.match(await mure('cron', 'run', 'clock'), /clock runs/)
  const runs = async () =>
    (
      JSON.parse(await mure('cron', 'ls', '--format', 'json')) as {
        runs: { scheduledAt?: string; state: string }[]
      }[]
    ).flatMap((service) => service.runs)
  await cluster.until('the run by hand', async () => {
    const last = (await runs()).at(-1)
    return (last?.state === 'complete' && last.scheduledAt === undefined) || JSON.stringify(last)
  })
  assert.match(await mure('cron', 'resume', 'clock'), /next at /)
  assert.match(await docker('service', 'ls', '--filter', 'name=clock'), /replicated job/)
  await docker('service', 'rm', 'clock')
})
