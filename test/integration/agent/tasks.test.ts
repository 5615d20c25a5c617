import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { instant } from '#lib/clock.ts'
import { obedient, shellTask, startAgent } from './fixture.ts'
import type { Running } from './fixture.ts'
import { startHost, until } from './host.ts'
import type { Host } from './host.ts'

let host: Host
let running: Running

before(async () => {
  host = await startHost()
  running = await startAgent(host)
  await until(() => running.manager.stream !== undefined)
})

after(async () => {
  await running[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

const inspect = async (id: string | undefined, format: string): Promise<string> =>
  host.docker('inspect', '--format', format, id ?? '')

test('a task runs under the name and labels that Swarm gives it', async () => {
  const task = shellTask(`echo "$WHERE on $(hostname)"; ${obedient}`, {
    container: { env: ['WHERE={{.Task.Name}}'], hostname: '{{.Service.Name}}-{{.Task.Slot}}', init: true },
  })
  running.manager.put(task)
  const status = await running.manager.reaches(task, 'running')
  const [container] = status.containers
  assert.ok((container?.pid ?? 0) > 0)
  assert.equal(await inspect(container?.containerId, '{{.Name}}'), `/web.1.${task.meta.id}`)
  const labels = JSON.parse(await inspect(container?.containerId, '{{json .Config.Labels}}')) as object
  assert.deepEqual(labels, {
    'com.docker.swarm.node.id': 'worker1',
    'com.docker.swarm.service.id': 'service1',
    'com.docker.swarm.service.name': 'web',
    'com.docker.swarm.task': '',
    'com.docker.swarm.task.id': task.meta.id,
    'com.docker.swarm.task.name': `web.1.${task.meta.id}`,
    'mure.cluster.id': 'cluster',
  })
  assert.equal(await inspect(container?.containerId, '{{.HostConfig.RestartPolicy.Name}}'), 'no')
  assert.equal(await host.docker('logs', container?.containerId ?? ''), `web.1.${task.meta.id} on web-1`)
  running.manager.remove(task)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('how a task ended is said as Swarm says it', async () => {
  const complete = shellTask('exit 0')
  const failed = shellTask('exit 3')
  const noImage = shellTask('exit 0', { container: { image: '127.0.0.1:1/nothing:1' } })
  const noProgram = shellTask('', { container: { args: ['/nothing'] } })
  const badTemplate = shellTask('exit 0', { container: { env: ['A={{.Nothing}}'] } })
  const badMount = shellTask('exit 0', {
    container: { mounts: [{ type: 'bind', source: '/not/there', target: '/data' }] },
  })
  running.manager.put(complete, failed, noImage, noProgram, badTemplate, badMount)
  const end = async (task: typeof failed) => {
    const { state, message, error } = await running.manager.reaches(task, 'complete')
    return { state, message, error }
  }
  assert.deepEqual(await end(complete), { state: 'complete', message: 'finished', error: '' })
  assert.equal(running.manager.status(complete)?.containers[0]?.exitCode, 0)
  assert.deepEqual(await end(failed), {
    state: 'failed',
    message: 'started',
    error: 'task: non-zero exit (3)',
  })
  assert.equal((await end(noImage)).state, 'rejected')
  assert.match((await end(noImage)).error, /^No such image: 127\.0\.0\.1:1\/nothing:1 \(.*connection refused/)
  assert.equal((await end(noProgram)).state, 'failed')
  assert.match((await end(noProgram)).error, /^starting container failed: .*\/nothing.*no such file/)
  assert.deepEqual(await end(badTemplate), {
    state: 'rejected',
    message: 'preparing',
    error: `expanding env failed: template: expansion:1:2: executing "expansion" at <.Nothing>: can't evaluate field Nothing in type *template.Context`,
  })
  assert.match((await end(badMount)).error, /bind source path does not exist: \/not\/there/)
  running.manager.remove(complete, failed, noImage, noProgram, badTemplate, badMount)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('a host-mode port is opened, and one that was left open is reported', async () => {
  const task = shellTask(obedient, {
    ports: [
      { protocol: 'tcp', targetPort: 80, publishedPort: 8_080, publishMode: 'host' },
      { protocol: 'tcp', targetPort: 81, publishMode: 'host' },
      { protocol: 'tcp', targetPort: 82, publishedPort: 9_090, publishMode: 'ingress' },
    ],
  })
  running.manager.put(task)
  const { hostPorts } = await running.manager.reaches(task, 'running')
  assert.equal(hostPorts?.length, 2)
  assert.equal(hostPorts[0]?.publishedPort, 8_080)
  assert.ok((hostPorts[1]?.publishedPort ?? 0) > 1_024)
  running.manager.remove(task)
})

test('with a health check a task runs once it is healthy, and fails when it is not', async () => {
  const check = { test: ['CMD-SHELL', 'test -e /ok'], intervalMs: 200, retries: 2, timeoutMs: 2_000 }
  const good = shellTask(`sleep 1; touch /ok; ${obedient}`, {
    container: { healthCheck: { ...check, startPeriodMs: 10_000 } },
  })
  const bad = shellTask(obedient, { container: { healthCheck: check } })
  const deaf = shellTask('sleep 1000', { container: { healthCheck: check } })
  running.manager.put(good, bad, deaf)
  const starting = await running.manager.reaches(good, 'starting')
  assert.equal(starting.state, 'starting')
  const healthy = await running.manager.reaches(good, 'running')
  assert.equal(healthy.containers[0]?.health, 'healthy')
  const failed = await running.manager.reaches(bad, 'failed')
  assert.equal(failed.error, 'task: unhealthy container')
  assert.ok(!running.manager.states(bad).includes('running'))
  assert.equal(
    (await running.manager.reaches(deaf, 'failed')).error,
    'task: non-zero exit (137): dockerexec: unhealthy container',
  )
  await host.docker('exec', healthy.containers[0]?.containerId ?? '', 'rm', '/ok')
  assert.equal((await running.manager.reaches(good, 'failed')).error, 'task: unhealthy container')
  running.manager.remove(good, bad, deaf)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('a task is stopped with its own signal, and killed when its grace is over', async () => {
  const polite = shellTask('trap "exit 7" INT; while :; do sleep 0.1; done', {
    container: { stopSignal: 'SIGINT', stopGracePeriodMs: 20_000 },
  })
  const deaf = shellTask('trap "" TERM; while :; do sleep 0.1; done')
  running.manager.put(polite, deaf)
  await running.manager.reaches(polite, 'running')
  await running.manager.reaches(deaf, 'running')
  const began = performance.now()
  running.manager.want(polite, 'shutdown')
  running.manager.want(deaf, 'shutdown')
  const ended = await running.manager.reaches(polite, 'shutdown')
  assert.equal(ended.state, 'shutdown')
  assert.equal(ended.containers[0]?.exitCode, 7)
  const killed = await running.manager.reaches(deaf, 'shutdown')
  assert.equal(killed.containers[0]?.exitCode, 137)
  const tookMs = performance.now() - began
  assert.ok(tookMs > 900 && tookMs < 8_000, `took ${String(tookMs)} ms`)
  // Its logs are kept until the task leaves the store.
  assert.equal((await host.docker('ps', '-aq')).split('\n').length, 2)
  running.manager.remove(polite, deaf)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('a task that is to be removed takes its anonymous volumes with it', async () => {
  const task = shellTask(obedient, { container: { mounts: [{ type: 'volume', target: '/data' }] } })
  running.manager.put(task)
  await running.manager.reaches(task, 'running')
  assert.notEqual(await host.docker('volume', 'ls', '-q'), '')
  running.manager.want(task, 'remove')
  assert.equal((await running.manager.reaches(task, 'shutdown')).state, 'shutdown')
  await until(async () => (await host.docker('ps', '-aq')) === '')
  await until(async () => (await host.docker('volume', 'ls', '-q')) === '')
  running.manager.remove(task)
})

test('a task waits in ready until it is wanted, and no longer than its delay', async () => {
  const task = shellTask(obedient, { desiredState: 'ready' })
  running.manager.put(task)
  await running.manager.reaches(task, 'ready')
  await sleep(300)
  assert.equal(running.manager.status(task)?.state, 'ready')
  const { updatedAt } = task.meta
  running.manager.put({ ...task, desiredState: 'running', startAfter: instant(updatedAt + 700) })
  const began = performance.now()
  await running.manager.reaches(task, 'running')
  assert.ok(performance.now() - began > 650)
  running.manager.remove(task)
})

test('what is done to a container by hand', async () => {
  const restarted = shellTask(obedient)
  const stopped = shellTask(obedient)
  const killed = shellTask(obedient)
  const removed = shellTask(obedient)
  running.manager.put(restarted, stopped, killed, removed)
  const containerOf = async (task: typeof killed) =>
    (await running.manager.reaches(task, 'running')).containers[0]?.containerId ?? ''

  const id = await containerOf(restarted)
  const pid = running.manager.status(restarted)?.containers[0]?.pid
  await host.docker('restart', id)
  await until(() => running.manager.status(restarted)?.containers[0]?.pid !== pid)
  await sleep(2_500)
  assert.equal(running.manager.status(restarted)?.state, 'running')

  await host.docker('stop', await containerOf(stopped))
  assert.equal((await running.manager.reaches(stopped, 'complete')).state, 'complete')
  // Its task is over and has been replaced: it does not run beside its replacement.
  await host.docker('start', await containerOf(stopped))
  const stoppedId = running.manager.status(stopped)?.containers[0]?.containerId
  await until(async () => (await inspect(stoppedId, '{{.State.Running}}')) === 'false')

  const began = performance.now()
  await host.docker('kill', await containerOf(killed))
  assert.equal((await running.manager.reaches(killed, 'failed')).error, 'task: non-zero exit (137)')
  assert.ok(performance.now() - began < 1_500)

  await host.docker('rm', '-f', await containerOf(removed))
  assert.match((await running.manager.reaches(removed, 'failed')).error, /destroyed|non-zero exit \(137\)/)
  running.manager.remove(restarted, stopped, killed, removed)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})
