import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-files-'))
  cluster = await TestCluster.up({ name: 'e2efiles', managers: 1, workers: 1 })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function store(
  kind: 'secret' | 'config',
  name: string,
  content: string,
  ...options: string[]
): Promise<void> {
  const file = join(folder, name)
  await writeFile(file, content)
  await cluster.docker('manager01', kind, 'create', ...options, name, file)
}

const containerOn = (host: string, service: string) =>
  cluster.docker(host, 'ps', '-q', '--filter', `label=com.docker.swarm.service.name=${service}`)

test('secrets and configs are in the container, in memory, with their owner and mode, and go with the task', async () => {
  await store('secret', 'password', 's3cret')
  await store('config', 'page', 'hello\n')
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'web', '--mode', 'global', '--secret', 'password'],
    ...[
      '--secret',
      'source=password,target=/etc/key,uid=5,gid=6,mode=0400',
      '--config',
      'source=page,target=/www/a',
    ],
    webImage,
  )
  for (const host of ['manager01', 'worker01']) {
    const id = await containerOn(host, 'web')
    const seen = await cluster.docker(
      host,
      'exec',
      id,
      'sh',
      '-c',
      'cat /run/secrets/password /www/a; ls -ln /etc/key',
    )
    assert.match(seen, /^s3crethello\n-r--------\s+1 5\s+6\s/)
    const mounts = await cluster.docker(
      host,
      'exec',
      id,
      'sh',
      '-c',
      'grep -E "secrets|/etc/key|/www/a" /proc/mounts',
    )
    assert.equal(mounts.split('\n').filter((line) => /^tmpfs .* ro,/.test(line)).length, 3, mounts)
    await assert.rejects(cluster.docker(host, 'exec', id, 'sh', '-c', 'echo x > /etc/key'), /Read-only/)
  }
  assert.match(
    await cluster.refused('manager01', 'secret', 'rm', 'password'),
    /is in use by the following service: web/,
  )
  assert.doesNotMatch(await cluster.docker('manager01', 'secret', 'inspect', 'password'), /czNjcmV0/)
  await cluster.docker('manager01', 'service', 'rm', 'web')
  await cluster.until('the files to go', async () => {
    const left = await cluster.run('worker01', 'sh', '-c', 'find /run/mure/files -type f | wc -l')
    return left.trim() === '0' || left
  })
  await cluster.docker('manager01', 'secret', 'rm', 'password')
})

test('templates are filled in on the node', async () => {
  await store('secret', 'token', 't0ken')
  await store(
    'config',
    'templated',
    'on {{.Node.Hostname}} as {{.Service.Name}} with {{env "COLOUR"}} {{secret "token"}}\n',
    '--template-driver',
    'golang',
  )
  await cluster.docker(
    'manager01',
    ...[
      'service',
      'create',
      '-q',
      '--name',
      'filled',
      '--constraint',
      'node.hostname==worker01',
      '--env',
      'COLOUR=red',
    ],
    ...['--secret', 'token', '--config', 'source=templated,target=/templated', webImage],
  )
  const id = await containerOn('worker01', 'filled')
  assert.equal(
    await cluster.docker('worker01', 'exec', id, 'cat', '/templated'),
    'on worker01 as filled with red t0ken',
  )
})

test('jobs run to completion, so many at a time, and again when asked', async () => {
  await cluster.docker(
    'manager01',
    ...['service', 'create', '-q', '--name', 'job', '--mode', 'replicated-job', '--replicas', '4'],
    ...['--max-concurrent', '2', webImage, 'sh', '-c', 'sleep 0.3'],
  )
  const replicas = () =>
    cluster.docker('manager01', 'service', 'ls', '--filter', 'name=job', '--format', '{{.Replicas}}')
  assert.equal(await replicas(), '0/2 (4/4 completed)')
  await cluster.docker('manager01', 'service', 'update', '-q', '--force', 'job')
  assert.equal(await replicas(), '0/2 (4/4 completed)')
  await cluster.docker(
    'manager01',
    'service',
    'create',
    '-q',
    '--name',
    'gjob',
    '--mode',
    'global-job',
    webImage,
    'true',
  )
  assert.equal(
    await cluster.docker('manager01', 'service', 'ls', '--filter', 'name=gjob', '--format', '{{.Replicas}}'),
    '0/0 (2/2 completed)',
  )
})
