import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sleep } from '#lib/wait.ts'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster

before(async () => {
  cluster = await TestCluster.up({ name: 'e2eload', managers: 1, workers: 2 })
})
after(() => cluster[Symbol.asyncDispose]())

/** Several silent periods: a node whose beats starve is found down within them. */
const watchedMs = 15_000

test('under full load of every host no node is taken for dead', async () => {
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-dq', '--name', 'busy', '--mode', 'global', webImage],
    ...['sh', '-c', 'for i in 1 2 3; do (while :; do :; done) & done; wait'],
  )
  await cluster.untilRunning('manager01', 'busy', 3)
  const before = await cluster.docker('manager01', 'service', 'ps', '-q', '--no-trunc', 'busy')
  const until = performance.now() + watchedMs
  while (performance.now() < until) {
    for (const [host, node] of await cluster.nodes('manager01'))
      assert.equal(node.status, 'Ready', `${host} is ${node.status}`)
    await sleep(250)
  }
  // Down for a moment, and its task would have been replaced.
  assert.equal(await cluster.docker('manager01', 'service', 'ps', '-q', '--no-trunc', 'busy'), before)
  await cluster.docker('manager01', 'service', 'rm', 'busy')
})
