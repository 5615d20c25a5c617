import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { seededRandom } from '#lib/random.ts'
import { sleep } from '#lib/wait.ts'
import type { NodeId } from '#model/id.ts'
import type { AgentProcessOptions } from './agent-process.ts'
import { manager as managerIdentity, obedient, shellTask, worker } from './fixture.ts'
import { startHost, until } from './host.ts'
import type { Host } from './host.ts'
import { ManagerEnd } from './manager-end.ts'

let host: Host
let manager: ManagerEnd
let dataDir: string
let agent: ChildProcess | undefined

before(async () => {
  host = await startHost()
})
after(() => host[Symbol.asyncDispose]())
beforeEach(async () => {
  manager = await ManagerEnd.start(managerIdentity)
  dataDir = await mkdtemp(join(host.folder, 'agent-'))
})
afterEach(async () => {
  await killAgent()
  await manager[Symbol.asyncDispose]()
  for (const id of (await host.docker('ps', '-aq')).split('\n').filter(Boolean))
    await host.docker('rm', '-fv', id)
})

function startAgentProcess(): void {
  const options: AgentProcessOptions = {
    socketPath: host.socketPath,
    identity: worker,
    managers: [{ nodeId: '' as NodeId, address: manager.address }],
    dataDir,
  }
  const program = join(import.meta.dirname, 'agent-process.ts')
  agent = spawn(process.execPath, [program, JSON.stringify(options)], { stdio: 'inherit' })
}

async function killAgent(): Promise<void> {
  if (agent === undefined || agent.exitCode !== null || agent.signalCode !== null) return
  const ended = once(agent, 'exit')
  agent.kill('SIGKILL')
  await ended
}

const containers = async (): Promise<string[]> =>
  (await host.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').filter(Boolean)

test('what ran before is taken over, and what ended meanwhile is told', async () => {
  const staying = shellTask(obedient)
  const ending = shellTask('while ! test -e /end; do sleep 0.1; done; exit 5')
  const unwanted = shellTask(obedient)
  manager.put(staying, ending, unwanted)
  startAgentProcess()
  const before = await manager.reaches(staying, 'running')
  const endingId = (await manager.reaches(ending, 'running')).containers[0]?.containerId ?? ''
  await manager.reaches(unwanted, 'running')
  await killAgent()
  await host.docker('exec', endingId, 'touch', '/end')
  manager.want(unwanted, 'shutdown')
  await sleep(500)
  manager.heard.length = 0
  startAgentProcess()
  assert.equal((await manager.reaches(ending, 'failed')).error, 'task: non-zero exit (5)')
  assert.equal((await manager.reaches(unwanted, 'shutdown')).state, 'shutdown')
  const pid = await host.docker(
    'inspect',
    '--format',
    '{{.State.Pid}}',
    before.containers[0]?.containerId ?? '',
  )
  assert.equal(Number(pid), before.containers[0]?.pid)
  assert.equal((await containers()).length, 3)
})

test('an end that no manager has stored is told again, though nothing of it is left on the engine', async () => {
  manager.acknowledges = (state) => state !== 'rejected'
  const rejected = shellTask('exit 0', { container: { image: '127.0.0.1:1/nothing:1' } })
  manager.put(rejected)
  startAgentProcess()
  const { error } = await manager.reaches(rejected, 'rejected')
  await killAgent()
  await host.docker('tag', 'busybox:latest', '127.0.0.1:1/nothing:1')
  manager.heard.length = 0
  manager.acknowledges = () => true
  startAgentProcess()
  const again = await manager.reaches(rejected, 'rejected')
  assert.deepEqual([again.state, again.error], ['rejected', error])
  assert.deepEqual(manager.states(rejected), ['rejected'])
  assert.deepEqual(await containers(), [])
  await host.docker('rmi', '127.0.0.1:1/nothing:1')
})

test('containers of unknown tasks of this node go, once a manager has told the whole set, and no others', async () => {
  const run = (name: string, cluster: string, node: string) =>
    host.docker(
      ...['run', '-d', '--name', name, '--label', `mure.cluster.id=${cluster}`],
      ...['--label', `com.docker.swarm.node.id=${node}`, '--label', `com.docker.swarm.task.id=${name}`],
      ...['--stop-timeout', '1', 'busybox', 'sleep', '1000'],
    )
  await run('orphan', 'cluster', worker.nodeId)
  await run('other-node', 'cluster', 'worker2')
  await run('other-cluster', 'else', worker.nodeId)
  await host.docker('run', '-d', '--name', 'by-hand', 'busybox', 'sleep', '1000')
  manager.isMute = true
  startAgentProcess()
  await until(() => manager.hellos.length > 0)
  await sleep(500)
  assert.equal((await containers()).length, 4)
  manager.isMute = false
  await until(async () => (await containers()).length === 3)
  assert.deepEqual((await containers()).sort(), ['by-hand', 'other-cluster', 'other-node'])
})

test('killed at any moment, the agent loses no task and makes none twice', async () => {
  const random = seededRandom(7)
  const tasks = Array.from({ length: 6 }, (_, index) => shellTask(obedient, { slot: index + 1 }))
  manager.put(...tasks)
  for (let round = 0; round < 6; round++) {
    const hellos = manager.hellos.length
    startAgentProcess()
    await until(() => manager.hellos.length > hellos)
    await sleep(random.below(350))
    await killAgent()
  }
  startAgentProcess()
  for (const task of tasks) assert.equal((await manager.reaches(task, 'running')).state, 'running')
  assert.equal((await containers()).length, tasks.length)
  for (const task of tasks) assert.equal((await manager.reaches(task, 'running')).error, '')
})
