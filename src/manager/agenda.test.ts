import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instant } from '#lib/clock.ts'
import { silentLogger } from '#lib/logger.ts'
import { aService, testEpoch } from '#model/testing/builders.ts'
import { StoreMirror } from '#store/mirror/mirror.ts'
import { Agenda } from './agenda.ts'

function agendaOf(...replicas: number[]) {
  const mirror = new StoreMirror(silentLogger)
  const services = replicas.map((count, index) => aService({ name: `s${String(index)}`, replicas: count }))
  mirror.replace(services, 1)
  const agenda = new Agenda(mirror)
  const take = (afterMs = 0) => agenda.take(instant(testEpoch + afterMs), mirror)?.services.length
  return { mirror, agenda, services, take }
}

test('a turn has an end: what is too much for one is due in the next, at once', () => {
  const { agenda, take } = agendaOf(15_000, 15_000, 15_000, 4_000)
  assert.equal(take(), 2)
  assert.equal(agenda.nextAt(), 0)
  assert.equal(take(), 1)
  assert.equal(take(), 1)
  assert.equal(take(), undefined)
})

test('a service that is too large for any turn has one of its own', () => {
  const { take } = agendaOf(100_000, 1)
  assert.deepEqual([take(), take(), take()], [1, 1, undefined])
})

test('large services rest after a look, by all that was looked at, and small ones do not', () => {
  const { mirror, agenda, services, take } = agendaOf(10_000, 10_000, 1)
  assert.equal(take(), 2)
  assert.equal(take(), 1)
  // A change that is none of a person's: such as a task of theirs that moves.
  agenda.markAll(mirror)
  assert.equal(take(), 1)
  assert.equal(take(500), undefined)
  assert.equal(agenda.nextAt(), testEpoch + 600)
  assert.equal(take(600), 2)
  agenda.markAll(mirror)
  const [web] = services
  assert.ok(web)
  agenda.hear([{ kind: 'service', revision: 2, before: web, after: web }], mirror)
  assert.equal(take(601), 2, 'who changes a service does not wait for that')
})
