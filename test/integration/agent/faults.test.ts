import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { obedient, shellTask, startAgent } from './fixture.ts'
import type { Running } from './fixture.ts'
import { startHost, until } from './host.ts'
import type { Host } from './host.ts'

let host: Host
let running: Running
let registry: ChildProcess

before(async () => {
  host = await startHost()
  registry = await startRegistry()
  running = await startAgent(host)
  await until(() => running.manager.stream !== undefined)
})

after(async () => {
  await running[Symbol.asyncDispose]()
  registry.kill('SIGKILL')
  await host[Symbol.asyncDispose]()
})

/** Debian's docker-registry within the host, with one image. */
async function startRegistry(): Promise<ChildProcess> {
  const config = join(host.folder, 'registry.yml')
  await writeFile(
    config,
    `version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: ${host.folder}/registry\nhttp:\n  addr: 127.0.0.1:5000\n`,
  )
  const started = host.spawn('docker-registry', ['serve', config])
  await host.docker('tag', 'busybox:latest', '127.0.0.1:5000/app:1')
  await until(() => host.docker('push', '127.0.0.1:5000/app:1').then(() => true))
  await host.docker('rmi', '127.0.0.1:5000/app:1')
  return started
}

const hasProblem = () => running.manager.descriptions.at(-1)?.engine.problem !== undefined

test('the image comes from a registry, by its tag and by its digest', async () => {
  const byTag = shellTask('exit 0', { container: { image: '127.0.0.1:5000/app:1' } })
  running.manager.put(byTag)
  assert.equal((await running.manager.reaches(byTag, 'complete')).error, '')
  const digest = await host.docker('inspect', '--format', '{{index .RepoDigests 0}}', '127.0.0.1:5000/app:1')
  const byDigest = shellTask('exit 0', {
    container: { image: digest.replace('/app@', '/app:1@') },
  })
  const missing = shellTask('exit 0', { container: { image: '127.0.0.1:5000/app:2' } })
  running.manager.put(byDigest, missing)
  assert.equal((await running.manager.reaches(byDigest, 'complete')).error, '')
  assert.match(
    (await running.manager.reaches(missing, 'rejected')).error,
    /^No such image: .*app:2 \(.*manifest/,
  )
  running.manager.remove(byTag, byDigest, missing)
  await until(async () => (await host.docker('ps', '-aq')) === '')
  await host.docker('rmi', '-f', '127.0.0.1:5000/app:1')
})

test('an engine that dies in the middle of a pull is asked again', async () => {
  registry.kill('SIGSTOP')
  const task = shellTask(obedient, { container: { image: '127.0.0.1:5000/app:1' } })
  running.manager.put(task)
  await running.manager.reaches(task, 'preparing')
  await sleep(500)
  await host.killEngine()
  await until(hasProblem)
  registry.kill('SIGCONT')
  await sleep(300)
  await host.mayStart()
  assert.equal((await running.manager.reaches(task, 'running')).error, '')
  assert.ok(!hasProblem())
  running.manager.remove(task)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('nothing is said of tasks while the engine is dead; then what became of them', async () => {
  const task = shellTask(obedient)
  running.manager.put(task)
  const { containers } = await running.manager.reaches(task, 'running')
  await host.killEngine()
  await until(hasProblem)
  const late = shellTask(obedient)
  running.manager.put(late)
  await sleep(1_500)
  assert.equal(running.manager.status(task)?.state, 'running')
  assert.ok(running.manager.stream !== undefined)
  await host.mayStart()
  // Without live restore an engine that comes back ends what it finds running: with its stop signal, or harder.
  const ended = await running.manager.reaches(task, 'complete')
  if (ended.state !== 'complete') assert.match(ended.error, /^task: non-zero exit \(\d+\)/)
  assert.equal(running.manager.status(task)?.containers[0]?.containerId, containers[0]?.containerId)
  assert.equal((await running.manager.reaches(late, 'running')).error, '')
  await until(() => !hasProblem())
  running.manager.remove(task, late)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('an engine that stands still harms no task and no session', async () => {
  const staying = shellTask(obedient)
  const leaving = shellTask(obedient)
  running.manager.put(staying, leaving)
  await running.manager.reaches(staying, 'running')
  await running.manager.reaches(leaving, 'running')
  await host.freezeEngine()
  const late = shellTask(obedient)
  running.manager.put(late)
  running.manager.want(leaving, 'shutdown')
  const beats = running.manager.beats.length
  await sleep(4_000)
  assert.ok(running.manager.beats.length - beats >= 6)
  assert.equal(running.manager.status(staying)?.state, 'running')
  assert.equal(running.manager.status(leaving)?.state, 'running')
  await host.thawEngine()
  assert.equal((await running.manager.reaches(late, 'running')).error, '')
  assert.equal((await running.manager.reaches(leaving, 'shutdown')).state, 'shutdown')
  assert.equal(running.manager.status(staying)?.state, 'running')
  running.manager.remove(staying, leaving, late)
  await until(async () => (await host.docker('ps', '-aq')) === '')
})

test('a pull that nobody waits for any more is given up', async () => {
  await host.docker('rmi', '-f', '127.0.0.1:5000/app:1').catch(() => '')
  registry.kill('SIGSTOP')
  const first = shellTask(obedient, { container: { image: '127.0.0.1:5000/app:1' } })
  const second = shellTask(obedient, { container: { image: '127.0.0.1:5000/app:1' } })
  running.manager.put(first, second)
  await running.manager.reaches(second, 'preparing')
  running.manager.want(first, 'shutdown')
  assert.equal((await running.manager.reaches(first, 'shutdown', 3_000)).state, 'shutdown')
  registry.kill('SIGCONT')
  assert.equal((await running.manager.reaches(second, 'running')).error, '')
  running.manager.remove(first, second)
})

test('an agent that stops leaves its tasks, and one of a removed node takes them away', async () => {
  const task = shellTask(obedient)
  running.manager.put(task)
  await running.manager.reaches(task, 'running')
  const removed = Promise.withResolvers<void>()
  await running[Symbol.asyncDispose]()
  assert.notEqual(await host.docker('ps', '-q'), '')
  running = await startAgent(host, {
    callbacks: {
      roleWanted: () => undefined,
      release: () => Promise.resolve(),
      trustChanged: () => undefined,
      expired: () => undefined,
      removed: () => {
        removed.resolve()
      },
    },
  })
  running.manager.tasks.set(task.meta.id, task)
  await until(() => running.manager.stream !== undefined)
  assert.equal((await running.manager.reaches(task, 'running')).state, 'running')
  const ended = once(running.manager.stream?.signal ?? new EventTarget(), 'abort')
  running.manager.stream?.send({ type: 'removed' })
  await removed.promise
  await ended
  await until(async () => (await host.docker('ps', '-aq')) === '')
})
