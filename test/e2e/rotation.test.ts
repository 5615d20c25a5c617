import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
let folder: string
const busybox = 'registry:5000/busybox:latest'

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-rotation-'))
  cluster = await TestCluster.up({ name: 'e2erotation', managers: 1, workers: 1 })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const docker = (...args: string[]) => cluster.docker('manager01', ...args)

/** `strict` ends at once unless its password is good; `heeds` counts the signals it gets. */
const stackFile = `
version: "3.8"
services:
  strict:
    image: ${busybox}
    command: sh -c 'grep -q good /run/secrets/password && exec sleep 100000'
    stop_grace_period: 0s
    secrets: [password]
    deploy:
      replicas: 2
      restart_policy: {delay: 0s}
      update_config: {failure_action: rollback, monitor: 1s}
      rollback_config: {monitor: 1s, parallelism: 0}
  heeds:
    image: ${busybox}
    command: sh -c 'trap "echo heard >> /tmp/heard" HUP; while true; do sleep 0.1; done'
    stop_grace_period: 0s
    secrets: [{source: password, target: /etc/password, mode: 0400}]
    configs: [{source: motd, target: /etc/motd}]
    deploy:
      update_config: {monitor: 0s}
      labels: {mure.rotate: "signal:HUP"}
secrets: {password: {file: ./password}}
configs: {motd: {file: ./motd}}
`

async function deploy(password: string, motd: string): Promise<void> {
  await writeFile(join(folder, 'password'), password)
  await writeFile(join(folder, 'motd'), motd)
  await writeFile(join(folder, 'app.yml'), stackFile)
  await docker('stack', 'deploy', '-c', join(folder, 'app.yml'), 'app')
}

const ids = async (service: string): Promise<string[]> =>
  (await docker('service', 'ps', '-q', '--no-trunc', '--filter', 'desired-state=running', service))
    .split('\n')
    .sort()

const containerOf = (task: string) =>
  docker('inspect', '--type', 'task', '--format', '{{.Status.ContainerStatus.ContainerID}}', task)

/** What each container of the service has in a file. */
async function contents(service: string, path: string): Promise<string[]> {
  const found: string[] = []
  for (const task of await ids(service))
    found.push(await docker('exec', await containerOf(task), 'cat', path))
  return found
}

const updateState = (service: string) =>
  docker('service', 'inspect', '--format', '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}', service)

test('a second deploy with other data rotates secrets and configs', async () => {
  await deploy('good one', 'hello')
  await cluster.untilRunning('manager01', 'app_strict', 2)
  await cluster.untilRunning('manager01', 'app_heeds', 1)
  const strict = await ids('app_strict')
  const [heeds = ''] = await ids('app_heeds')
  const container = await containerOf(heeds)

  await deploy('good two, and longer', 'bye')
  await cluster.until('the roll', async () => {
    const state = await updateState('app_strict')
    return state === 'completed' || state
  })
  assert.deepEqual(await contents('app_strict', '/run/secrets/password'), [
    'good two, and longer',
    'good two, and longer',
  ])
  assert.ok((await ids('app_strict')).every((id) => !strict.includes(id)))

  await cluster.until('the signal', async () => {
    const state = await updateState('app_heeds')
    return state === 'completed' || state
  })
  assert.deepEqual(await ids('app_heeds'), [heeds])
  assert.equal(await containerOf(heeds), container)
  assert.deepEqual(await contents('app_heeds', '/etc/password'), ['good two, and longer'])
  assert.deepEqual(await contents('app_heeds', '/etc/motd'), ['bye'])
  assert.equal(await docker('exec', container, 'stat', '-c', '%a', '/etc/password'), '400')
  await cluster.until('the signal to be heard', async () =>
    /heard/.test(await docker('exec', container, 'cat', '/tmp/heard')),
  )
  assert.equal(await docker('config', 'inspect', '--format', '{{.Spec.Data}}', 'app_motd'), '[98 121 101]')
})

test('deployed again without a change, nothing moves', async () => {
  const before = [...(await ids('app_strict')), ...(await ids('app_heeds'))]
  await deploy('good two, and longer', 'bye')
  await cluster.untilRunning('manager01', 'app_strict', 2)
  assert.deepEqual([...(await ids('app_strict')), ...(await ids('app_heeds'))], before)
})

test('a roll that fails takes the spec and the secret back together, and later tasks get that one too', async () => {
  await deploy('bad', 'bye')
  await cluster.until(
    'the rollback',
    async () => {
      const state = await updateState('app_strict')
      return state === 'rollback_completed' || state
    },
    60_000,
  )
  await cluster.untilRunning('manager01', 'app_strict', 2)
  await docker('service', 'scale', '-d', 'app_strict=3')
  await cluster.untilRunning('manager01', 'app_strict', 3)
  assert.deepEqual(await contents('app_strict', '/run/secrets/password'), [
    'good two, and longer',
    'good two, and longer',
    'good two, and longer',
  ])
  await deploy('good three', 'bye')
  await cluster.until('the next roll', async () => {
    const state = await updateState('app_strict')
    return state === 'completed' || state
  })
  await cluster.untilRunning('manager01', 'app_strict', 2)
  assert.deepEqual(await contents('app_strict', '/run/secrets/password'), ['good three', 'good three'])
  await docker('service', 'rollback', '-d', 'app_strict')
  await cluster.until('the rollback by hand', async () => {
    const state = await updateState('app_strict')
    return state === 'rollback_completed' || state
  })
  assert.ok(
    (await contents('app_strict', '/run/secrets/password')).every((text) => text === 'good two, and longer'),
  )
})

test('the data of a secret is in memory alone', async () => {
  for (const host of ['manager01', 'worker01'])
    assert.equal(
      await cluster.run(
        host,
        'sh',
        '-c',
        'grep -rlE "good (two|three)" /var/lib/docker /var/lib/mure || true',
      ),
      '',
      host,
    )
})
