import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lab, labKilledAfter, leftovers, listed, ownLab } from './mure-lab.ts'

// Until "up" has ended once by itself: every stage of it is hit, however quick the machine is.
const stepMs = 60
const size = ['--engine-only', '--managers', '1', '--workers', '1']

test('"down" leaves nothing of a lab whose "up" was killed, wherever it was', async () => {
  for (let ms = stepMs, ended = false; !ended; ms += stepMs) {
    await using own = ownLab('killup')
    ended = await labKilledAfter(ms, 'up', '--name', own.name, ...size)
  }
})

test('"up" completes a lab whose "up" was killed, wherever it was', async () => {
  await using own = ownLab('again')
  for (let ms = 3 * stepMs, ended = false; !ended; ms += 3 * stepMs)
    ended = await labKilledAfter(ms, 'up', '--name', own.name, ...size)
  await lab('up', '--name', own.name)
  const states = [...(await listed(own.name)).values()].map(({ host, swarm }) => `${host} ${String(swarm)}`)
  assert.deepEqual(states, ['registry null', 'manager01 manager', 'worker01 worker'])
})

test('"down" completes a "down" that was killed, wherever it was', async () => {
  for (let ms = stepMs, ended = false; !ended; ms += 2 * stepMs) {
    await using own = ownLab('killdown')
    await lab('up', '--name', own.name, ...size, '--no-swarm')
    ended = await labKilledAfter(ms, 'down', '--name', own.name)
  }
})

test('labs that come up at the same time do not disturb one another', async () => {
  await using one = ownLab('one')
  await using two = ownLab('two')
  const up = (name: string) => lab('up', '--name', name, ...size, '--no-swarm')
  // The first one twice: the second waits for the first, and then finds all of it there.
  const said = await Promise.all([up(one.name), up(one.name), up(two.name)])
  const port = (text = '') => /localhost:(\d+)/.exec(text)?.[1]
  assert.equal(port(said[0]), port(said[1]))
  assert.notEqual(port(said[0]), port(said[2]))
  const address = async (name: string) => (await listed(name)).get('manager01')?.address
  assert.notEqual(await address(one.name), await address(two.name))
  await lab('down', '--name', one.name)
  assert.deepEqual(await leftovers(one.name), [])
  assert.equal((await listed(two.name)).get('manager01')?.engine, 'up')
  const other = await fetch(`http://localhost:${port(said[2]) ?? ''}/v2/_catalog`)
  assert.equal(other.status, 200)
})
