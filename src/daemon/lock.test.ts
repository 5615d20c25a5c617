import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '#lib/logger.ts'
import { update } from '#model/change.ts'
import { aCluster } from '#model/testing/builders.ts'
import { createUnlockKey } from '#security/unlock-key.ts'
import { SimulatedCluster } from '#manager/simulation/simulated-cluster.ts'
import { seededRandom } from '#lib/random.ts'
import { testEpoch } from '#model/testing/builders.ts'
import { followLock } from './lock.ts'

test('an unlock key that could not be written is written when it can be, and only then is it', async () => {
  const cluster = aCluster()
  const random = seededRandom(1)
  await using simulated = await SimulatedCluster.of({ objects: [cluster], now: testEpoch, random })
  const stop = new AbortController()
  const locked: boolean[] = []
  let isFull = false
  const written = Promise.withResolvers<void>()
  const credentials = {
    lock: (key: Buffer | undefined) => {
      if (isFull) {
        isFull = false
        return Promise.reject(new Error('no space left on device'))
      }
      locked.push(key !== undefined)
      if (key !== undefined) written.resolve()
      return Promise.resolve()
    },
  }
  followLock(simulated, credentials, silentLogger, stop.signal)
  isFull = true
  const stored = simulated.mirror.get('cluster', cluster.meta.id)
  assert.ok(stored)
  await simulated.write([update({ ...stored, status: { ...stored.status, unlockKey: createUnlockKey() } })])
  await written.promise
  assert.deepEqual(locked, [false, true])
  stop.abort()
})
