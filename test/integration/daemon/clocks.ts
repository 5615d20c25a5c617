// Clocks that are years off, and hosts that were off for longer than their certificates live.
import assert from 'node:assert/strict'
import { at, docker, nodeStates, refused, startDaemon, startEngines, stopDaemon, until } from './daemons.ts'

await startEngines([1, 2])
let manager = await startDaemon(1)
await docker(1, 'swarm', 'init', ...at(2377))
const token = await docker(1, 'swarm', 'join-token', '-q', 'worker')
const join = ['swarm', 'join', '--token', token, '127.0.0.1:2377']

let worker = await startDaemon(2, '+5y')
assert.match(await refused(2, ...join), /was valid until .*set the clocks right/)
await stopDaemon(worker)
worker = await startDaemon(2, '-5y')
assert.match(await refused(2, ...join), /valid only from .*set the clocks right/)
await stopDaemon(worker)
worker = await startDaemon(2)
await docker(2, ...join)
await until('both to be ready', async () => (await nodeStates(1)) === 'Ready Ready')

// Both were off for a hundred days: the manager renews its own certificates, and the worker comes back by its key.
assert.deepEqual([await stopDaemon(worker), await stopDaemon(manager)], [0, 0])
manager = await startDaemon(1, '+100d')
await until('the worker to be missed', async () => (await nodeStates(1)) === 'Down Ready')
worker = await startDaemon(2, '+100d')
await until('both to be ready again', async () => (await nodeStates(1)) === 'Ready Ready')

assert.deepEqual([await stopDaemon(worker), await stopDaemon(manager)], [0, 0])
process.exit(0)
