import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { logFile } from '#lab/host-files.ts'
import { TestCluster } from '../support/cluster.ts'

let cluster: TestCluster
const labName = 'e2eimages'
const workers = ['worker01', 'worker02'] as const
const mure = join(import.meta.dirname, '..', '..', 'mure')

before(async () => {
  cluster = await TestCluster.up({ name: labName, managers: 1, workers: workers.length })
})
after(() => cluster[Symbol.asyncDispose]())

const build = (host: string, image: string, ...lines: string[]) =>
  cluster.run(
    host,
    'sh',
    '-c',
    `printf '%s\\n' "$@" | DOCKER_BUILDKIT=0 docker build --quiet --tag ${image} -`,
    'build',
    ...lines,
  )

const idOn = (host: string, image: string) =>
  cluster.docker(host, 'image', 'inspect', '--format', '{{.Id}}', image)

async function fromOthers(image: string): Promise<number> {
  let count = 0
  for (const host of ['manager01', ...workers])
    for (const line of (await readFile(logFile(labName, host, 'mured'), 'utf8')).split('\n'))
      if (line.includes('an image came from another node') && line.includes(image)) count += 1
  return count
}

test('an image of the manager goes to the nodes, and of its next version only the new layer', async () => {
  await build('manager01', 'app:1', 'FROM registry:5000/busybox', 'RUN head -c 6000000 /dev/urandom >/data')
  const first = await cluster.run('manager01', mure, 'image', 'push', 'app:1')
  for (const worker of workers) {
    assert.match(first, new RegExp(`^${worker}: 2 of 2 layers sent, \\d+\\.\\d MiB$`, 'm'))
    assert.equal(await idOn(worker, 'app:1'), await idOn('manager01', 'app:1'))
  }
  await build('manager01', 'app:2', 'FROM app:1', 'RUN echo 2 >/version')
  const second = await cluster.run('manager01', mure, 'image', 'push', '--nodes', 'worker01', 'app:2')
  assert.match(second, /^worker01: 1 of 3 layers sent, 0\.\d MiB$/m)
  assert.equal(
    await cluster.docker('worker01', 'run', '--rm', 'app:2', 'sh', '-c', 'cat /version; wc -c </data'),
    '2\n6000000',
  )
  const again = await cluster.run('manager01', mure, 'image', 'push', 'app:2')
  assert.match(again, /^worker01: has it already$/m)
  assert.match(again, /^worker02: 1 of 3 layers sent/m)
})

test('what cannot be pushed is said', async () => {
  const refusal = (host: string, ...args: string[]) =>
    cluster.run(host, 'sh', '-c', '"$@" 2>&1 || true', 'sh', mure, 'image', 'push', ...args)
  assert.match(await refusal('manager01', 'nothing'), /worker01: no such image: nothing/i)
  assert.match(await refusal('manager01', '--nodes', 'worker09', 'app:1'), /node worker09 not found/)
  assert.match(await refusal('worker01', 'app:1'), /not a swarm manager/)
})

test('a service whose image is in no registry is run by all nodes, if one has it', async () => {
  await build('worker02', 'only/here', 'FROM registry:5000/busybox', 'CMD ["sleep", "100000"]')
  const create = ['service', 'create', '--detach', '--quiet', '--name', 'local', '--mode', 'global']
  await cluster.docker('manager01', ...create, 'only/here')
  await cluster.untilRunning('manager01', 'local', 3)
  for (const host of ['manager01', 'worker01'])
    assert.equal(await idOn(host, 'only/here'), await idOn('worker02', 'only/here'))
  await cluster.docker('manager01', 'service', 'rm', 'local')
})

test('an image that all nodes need at once is downloaded once', async () => {
  const image = 'registry:5000/haproxy'
  const create = ['service', 'create', '--detach', '--quiet', '--name', 'many', '--mode', 'global']
  await cluster.docker('manager01', ...create, image)
  await cluster.untilRunning('manager01', 'many', 3)
  assert.equal(await fromOthers(image), 2)
  await cluster.docker('manager01', 'service', 'rm', 'many')
})
