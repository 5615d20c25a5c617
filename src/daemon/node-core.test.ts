import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Engine } from '#engine/engine.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { systemRandom } from '#lib/random.ts'
import { sleep } from '#lib/wait.ts'
import { NodeCore } from './node-core.ts'

async function withCore(use: (core: NodeCore) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mure-core-'))
  const core = new NodeCore(
    {
      ...{ engine: {} as Engine, dataDir, runDir: dataDir },
      ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
    },
    { roleWanted: () => undefined, release: () => Promise.resolve() },
  )
  try {
    await use(core)
  } finally {
    core.stop.abort()
    await rm(dataDir, { recursive: true })
  }
}

test('a manager on its way up has come to its end when stopping it is over, and is not tried again', async () => {
  await withCore(async (core) => {
    const course: string[] = []
    const begun = Promise.withResolvers<void>()
    core.bringUpManager(async (wait) => {
      course.push('starts')
      begun.resolve()
      await sleep(60_000, wait.signal).catch(() => undefined)
      // As an etcd that takes its time to end.
      await sleep(20)
      course.push('has ended')
      throw new Error('no peers')
    })
    await begun.promise
    await core.stopManager()
    assert.deepEqual(course, ['starts', 'has ended'])
  })
})

test('a manager that does not come up is tried again', async () => {
  await withCore(async (core) => {
    const up = Promise.withResolvers<void>()
    let attempts = 0
    core.bringUpManager(() => {
      attempts += 1
      if (attempts === 1) return Promise.reject(new Error('no peers'))
      up.resolve()
      return Promise.resolve()
    })
    await up.promise
    assert.equal(attempts, 2)
  })
})
