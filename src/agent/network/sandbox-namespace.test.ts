import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import { isNamespace, namespaceThere } from './sandbox-namespace.ts'
import { SandboxKeeper } from './sandbox-keeper.ts'
import { Sandboxes } from './sandboxes.ts'

const { signal } = new AbortController()

test('a namespace is one when it is mounted, not when its file is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'mure-sandbox-'))
  const file = join(folder, 'sandbox')
  assert.equal(await isNamespace(file), false)
  await writeFile(file, '')
  assert.equal(await isNamespace(file), false)
  assert.equal(await isNamespace('/proc/self/ns/net'), true)
  await rm(folder, { recursive: true })
})

test('a sandbox is waited for as long as it is wanted', async () => {
  await namespaceThere('/proc/self/ns/net', () => true, signal)
  let looks = 0
  await namespaceThere('/nowhere', () => ++looks < 3, signal)
  assert.equal(looks, 3)
})

test('one that is announced and not there yet holds nothing up: no rules are made for it', async () => {
  const sandboxes = new Sandboxes()
  const end = { endpointId: 'e', networkId: 'n', address: '10.0.0.2', address6: '' }
  sandboxes.put({ ...end, sandbox: '/nowhere' })
  const rulesOf = () => assert.fail('rules for what is not there')
  const keeper = new SandboxKeeper({ sandboxes, rulesOf, signal, logger: silentLogger })
  await keeper.sync('/nowhere')
  await keeper.compare()
  assert.deepEqual(await keeper.differences(), [])
})
