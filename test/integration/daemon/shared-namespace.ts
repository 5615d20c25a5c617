// Three engines and three daemons in one network namespace that has nothing but a loopback.
import assert from 'node:assert/strict'
import { exec } from '#lib/exec.ts'
import { at, docker, nodeStates, refused, startDaemon, startEngines, stopDaemon, until } from './daemons.ts'

const numbers = [1, 2, 3]
await startEngines(numbers)
const daemons = await Promise.all(numbers.map((number) => startDaemon(number)))

assert.match(
  await refused(1, 'swarm', 'init'),
  /could not find the system's IP address - specify one with --advertise-addr\n?$/,
)
await docker(1, 'swarm', 'init', ...at(2377))
const token = await docker(1, 'swarm', 'join-token', '-q', 'manager')
await docker(2, 'swarm', 'join', '--token', token, ...at(12_377), '127.0.0.1:2377')
// Nothing said of addresses: the one by which the manager is reached.
const asWorker = await docker(1, 'swarm', 'join-token', '-q', 'worker')
await docker(3, 'swarm', 'join', '--token', asWorker, '127.0.0.1:12377')
await until('all to be ready', async () => (await nodeStates(1)) === 'Ready Ready Ready')
assert.equal(await docker(3, 'info', '--format', '{{.Swarm.NodeAddr}}'), '127.0.0.1')

// A manager that leaves is told at once, and is no member of the store any more.
await docker(2, 'swarm', 'leave', '--force')
await until('one node to be down', async () => (await nodeStates(1)) === 'Down Ready Ready')
await docker(1, 'config', 'ls')

// It makes a cluster of its own on the same host: their networks have nothing in common.
await docker(2, 'swarm', 'leave', '--force').catch(() => undefined)
await docker(2, 'swarm', 'init', ...at(12_377), '--data-path-port', '4790')
const identifier = (number: number) => {
  const option = '{{index .Options "com.docker.network.driver.overlay.vxlanid_list"}}'
  return docker(number, 'network', 'inspect', '-f', option, 'ingress')
}
for (const number of [1, 2]) assert.match(await identifier(number), /^\d+$/)
assert.notEqual(await identifier(1), await identifier(2))

// Reached over the loopback, a manager still tells others another address; so does who joins it there.
for (const number of [3, 2, 1]) await docker(number, 'swarm', 'leave', '--force')
await exec('ip', ['address', 'add', '10.9.0.1/32', 'dev', 'lo'])
await docker(1, 'swarm', 'init', '--advertise-addr', '10.9.0.1')
const again = await docker(1, 'swarm', 'join-token', '-q', 'manager')
await docker(2, 'swarm', 'join', '--token', again, '--listen-addr', '0.0.0.0:12377', '0.0.0.0:2377')
assert.equal(await docker(2, 'info', '--format', '{{.Swarm.NodeAddr}}'), '10.9.0.1')
await until('the second to be a manager', async () =>
  (await docker(2, 'node', 'ls', '--format', '{{.ManagerStatus}}')).includes('Reachable'),
)

for (const daemon of daemons) assert.equal(await stopDaemon(daemon), 0)
process.exit(0)
