import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLab } from './plan.ts'

const names = (lab: { hosts: readonly { name: string }[] }) => lab.hosts.map((host) => host.name).join(' ')

test('a lab that nothing is said about is the workshop: one manager, three workers', () => {
  const lab = planLab({ name: 'lab' }, undefined, [])
  assert.equal(names(lab), 'registry manager01 worker01 worker02 worker03')
  assert.equal(lab.hosts[1]?.address, '192.168.100.11')
})

test('each lab has a subnet that no other has', () => {
  assert.equal(planLab({ name: 'b' }, undefined, [0, 2]).hosts[0]?.address, '192.168.101.2')
  assert.throws(() => planLab({ name: 'b' }, undefined, [...Array(100).keys()]), { code: 'exhausted' })
})

test('a lab that is there keeps its hosts and its subnet, and gets what is asked for beyond them', () => {
  const before = planLab({ name: 'lab', managers: 1, workers: 1, kind: 'engine' }, undefined, [0])
  assert.deepEqual(planLab({ name: 'lab' }, before, [0, 1]), before)
  const after = planLab({ name: 'lab', managers: 3, workers: 0 }, before, [0, 1])
  assert.equal(names(after), 'registry manager01 worker01 manager02 manager03')
  assert.equal(after.hosts.at(-1)?.kind, 'engine')
  assert.equal(after.index, 1)
})

test('counts that make no lab are refused', () => {
  assert.throws(() => planLab({ name: 'lab', managers: 0 }, undefined, []), { code: 'invalid' })
  assert.throws(() => planLab({ name: 'lab', workers: 205 }, undefined, []), { code: 'invalid' })
})
