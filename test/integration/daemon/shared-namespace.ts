// Three engines and three daemons in one network namespace that has nothing but a loopback; run by the test beside
// it inside that namespace. Argument: a folder for everything.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exec } from '#lib/exec.ts'
import { sleep } from '#lib/wait.ts'
import { root } from '#cli/tool.ts'

const folder = process.argv[2] ?? ''

function start(number: number, name: string, file: string, args: readonly string[]): ChildProcess {
  const log = openSync(join(folder, String(number), `${name}.log`), 'a')
  const child = spawn(file, args, { stdio: ['ignore', log, log] })
  closeSync(log)
  return child
}

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    if (await look().catch(() => false)) return
    await sleep(100)
  }
  throw new Error(`waited 30 s for ${what}`)
}

const docker = async (number: number, ...args: string[]): Promise<string> =>
  (await exec('docker', ['-H', `unix://${folder}/${String(number)}/mure.sock`, ...args])).trim()

const numbers = [1, 2, 3]
await exec('ip', ['link', 'set', 'lo', 'up'])
for (const number of numbers) {
  const own = join(folder, String(number))
  await mkdir(own)
  start(number, 'dockerd', 'dockerd', [
    ...[
      '-H',
      `unix://${own}/engine.sock`,
      '--data-root',
      join(own, 'docker'),
      '--exec-root',
      join(own, 'exec'),
    ],
    ...['--pidfile', join(own, 'docker.pid'), '--bridge', 'none', '--iptables=false', '--ip6tables=false'],
  ])
}
const daemons = numbers.map((number) => {
  const own = join(folder, String(number))
  return start(number, 'mured', process.execPath, [
    ...[join(root, 'src/cli/main.ts'), 'daemon', '--host', `unix://${own}/mure.sock`],
    ...[
      '--engine',
      `unix://${own}/engine.sock`,
      '--data-dir',
      join(own, 'data'),
      '--run-dir',
      join(own, 'run'),
    ],
  ])
})
for (const number of numbers)
  await until(`daemon ${String(number)}`, async () => (await docker(number, 'version')) !== '')

const at = (port: number) => [
  '--listen-addr',
  `127.0.0.1:${String(port)}`,
  '--advertise-addr',
  `127.0.0.1:${String(port)}`,
]
await assert.rejects(
  docker(1, 'swarm', 'init'),
  /could not find the system's IP address - specify one with --advertise-addr\n?$/,
)
await docker(1, 'swarm', 'init', ...at(2377))
const token = await docker(1, 'swarm', 'join-token', '-q', 'manager')
await docker(2, 'swarm', 'join', '--token', token, ...at(12_377), '127.0.0.1:2377')
// Nothing said of addresses: the one by which the manager is reached.
const asWorker = await docker(1, 'swarm', 'join-token', '-q', 'worker')
await docker(3, 'swarm', 'join', '--token', asWorker, '127.0.0.1:12377')
const states = async () =>
  (await docker(1, 'node', 'ls', '--format', '{{.Status}}')).split('\n').sort().join(' ')
await until('all to be ready', async () => (await states()) === 'Ready Ready Ready')
assert.equal(await docker(3, 'info', '--format', '{{.Swarm.NodeAddr}}'), '127.0.0.1')

// A manager that leaves is told at once, and is no member of the store any more.
await docker(2, 'swarm', 'leave', '--force')
await until('one node to be down', async () => (await states()) === 'Down Ready Ready')
await docker(1, 'config', 'ls')

for (const daemon of daemons) {
  const ended = once(daemon, 'exit')
  daemon.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
}
process.exit(0)
