import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { KeyFile } from '#security/key-file.ts'
import type { NodeKeys } from '#security/key-file.ts'
import { newKey } from '#security/seal.ts'
import { anIdentity, aRoot } from '#security/testing/identities.ts'
import { Credentials } from './credentials.ts'

const granted = {
  storePeer: { certificate: 'the peer certificate', key: 'the peer key' },
  dataKeys: [{ id: 1, key: 'the data key' }],
}
const secrets = /the peer key|the data key/

/** Notes how the file lies on disk after each time that it is written. */
class WatchedKeyFile extends KeyFile {
  readonly written: string[] = []
  readonly #path: string

  constructor(path: string) {
    super(path)
    this.#path = path
  }

  override async write(keys: NodeKeys): Promise<void> {
    await super.write(keys)
    this.written.push(await readFile(this.#path, 'utf8'))
  }

  override async lock(keys: NodeKeys, unlockKey: Buffer | undefined): Promise<void> {
    await super.lock(keys, unlockKey)
    this.written.push(await readFile(this.#path, 'utf8'))
  }
}

async function aWorker(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'mure-credentials-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'keys.json')
  const file = new WatchedKeyFile(path)
  const { nodeId, certificate, key, trust } = await anIdentity(await aRoot(), 'worker')
  const keys = { certificate, key, trust }
  const credentials = new Credentials({ file, keys, nodeId, clock: systemClock, logger: silentLogger })
  return { credentials, file, keys, path }
}

test("where managers are locked, a manager's keys are never on disk unsealed, from its promotion to its demotion", async (t) => {
  const { credentials, file, keys, path } = await aWorker(t)
  const unlockKey = newKey()
  await credentials.takeManagerKeys(granted, unlockKey)
  assert.deepEqual(await new KeyFile(path).read(unlockKey), { ...keys, ...granted })
  await credentials.forgetManagerKeys()
  assert.deepEqual(await new KeyFile(path).read(), keys)
  for (const text of file.written) assert.doesNotMatch(text, secrets)
})

test('a demotion has ended when nothing of a manager is left in the keys', async (t) => {
  const { credentials } = await aWorker(t)
  assert.equal(credentials.isWorkers, true)
  await credentials.takeManagerKeys(granted, undefined)
  assert.equal(credentials.isWorkers, false)
  await credentials.forgetManagerKeys()
  assert.equal(credentials.isWorkers, true)
})
