import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { exec } from '#lib/exec.ts'
import { TestCluster, webImage } from '../support/cluster.ts'

let cluster: TestCluster
let folder: string

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mure-authority-'))
  cluster = await TestCluster.up({ name: 'e2eauthority', managers: 3, workers: 1 })
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const serviceOfNone = (name: string) =>
  cluster.docker('manager02', 'service', 'create', '-dq', '--name', name, '--replicas', '0', webImage)

test('the root is replaced while writes go on; tokens follow; each node has a certificate of the new root', async () => {
  const before = await cluster.docker('manager01', 'swarm', 'ca')
  const token = await cluster.docker('manager01', 'swarm', 'join-token', '-q', 'worker')
  const rotating = cluster.docker('manager01', 'swarm', 'ca', '--rotate')
  let written = 0
  let isOver = false
  void rotating.finally(() => (isOver = true)).catch(() => undefined)
  while (!isOver) await serviceOfNone(`during-${String((written += 1))}`)
  await rotating
  const after = await cluster.docker('manager02', 'swarm', 'ca')
  assert.notEqual(after, before)
  assert.notEqual(await cluster.docker('manager03', 'swarm', 'join-token', '-q', 'worker'), token)
  const listed = await cluster.docker('manager03', 'node', 'ls', '--format', '{{.Status}} {{.TLSStatus}}')
  assert.deepEqual(
    listed.split('\n'),
    Array.from({ length: 4 }, () => 'Ready Ready'),
  )
  assert.equal((await cluster.docker('manager03', 'service', 'ls', '-q')).split('\n').length, written)
})

test('a root that a person brings is taken with its key alone; a node joins under it', async () => {
  const [key, certificate] = ['ca.key', 'ca.crt'].map((name) => join(folder, name))
  await exec('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', key ?? ''])
  await exec('openssl', [
    ...['req', '-x509', '-new', '-key', key ?? '', '-subj', '/CN=my-own-ca', '-days', '3650'],
    ...['-addext', 'basicConstraints=critical,CA:true', '-out', certificate ?? ''],
  ])
  const rotate = ['swarm', 'ca', '--rotate', '-q']
  assert.match(
    await cluster.refused('manager01', ...rotate, `--ca-key=${key ?? ''}`),
    /the signing CA cert must also be provided/,
  )
  await cluster.docker('manager01', ...rotate, `--ca-cert=${certificate ?? ''}`, `--ca-key=${key ?? ''}`)
  assert.match(
    await cluster.refused('manager01', ...rotate, `--ca-cert=${certificate ?? ''}`, `--ca-key=${key ?? ''}`),
    /identical key/,
  )
  await cluster.docker('worker01', 'swarm', 'leave')
  const token = await cluster.docker('manager02', 'swarm', 'join-token', '-q', 'worker')
  const address = await cluster.docker(
    'manager01',
    ...['node', 'inspect', '-f', '{{.ManagerStatus.Addr}}', 'manager02'],
  )
  await cluster.docker('worker01', 'swarm', 'join', '--token', token, address)
  await cluster.until('the node to be Ready under the new root', async () =>
    (await cluster.docker('manager01', 'node', 'ls', '--format', '{{.Hostname}} {{.Status}}')).includes(
      'worker01 Ready',
    ),
  )
})

test('a removed manager may nothing more', async () => {
  await cluster.docker('manager01', 'node', 'demote', 'manager03')
  await cluster.until('manager03 to be a worker', async () => {
    const info = await cluster.docker('manager03', 'info', '--format', '{{.Swarm.ControlAvailable}}')
    return info === 'false' || info
  })
  await cluster.docker('manager01', 'node', 'rm', '--force', 'manager03')
  await cluster.until('manager03 to know it', async () => {
    const info = await cluster.docker(
      'manager03',
      'info',
      '--format',
      '{{.Swarm.LocalNodeState}} {{.Swarm.Error}}',
    )
    return /^error .*removed/.test(info) || info
  })
})
