import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeId } from '#model/id.ts'
import type { NetworkExamination } from '#model/network-examination.ts'
import { renderExamination } from './network-examination.ts'

const a = 'a' as NodeId
const b = 'b' as NodeId
const path = { isReached: true, isWhole: true, roundTripMs: 0.4 }
const well: NetworkExamination = {
  port: 4789,
  hosts: [
    {
      nodeId: a,
      hostname: 'one',
      networks: 1,
      differences: [],
      packetBytes: 1500,
      paths: [{ ...path, to: b }],
    },
    {
      nodeId: b,
      hostname: 'two',
      networks: 2,
      differences: [],
      packetBytes: 1500,
      paths: [{ ...path, to: a }],
    },
  ],
}

test('a cluster that is well is said to be, path by path', () => {
  const { text, isWell } = renderExamination(well)
  assert.equal(isWell, true)
  assert.match(text, /one: 1 network, all as it should be/)
  assert.match(text, /one → two: ok, 0\.4 ms, 1500 bytes/)
  assert.match(text, /2 of 2 are as they should be/)
})

test('differences, lost paths and hosts that do not answer are said, and are not well', () => {
  const [one, two] = well.hosts
  if (one === undefined || two === undefined) throw new Error('two hosts')
  const differences = [{ network: 'front', what: 'mux1001 is missing' }]
  const found = (hosts: NetworkExamination['hosts']) => renderExamination({ port: 4789, hosts })
  const broken = found([{ ...one, differences }, two])
  assert.equal(broken.isWell, false)
  assert.match(broken.text, /network front: mux1001 is missing$/m)
  const repaired = found([{ ...one, differences, remaining: [] }, two])
  assert.equal(repaired.isWell, true)
  assert.match(repaired.text, /mux1001 is missing \(repaired\)/)
  const lost = found([{ ...one, paths: [{ to: b, isReached: false, isWhole: false }] }, two])
  assert.equal(lost.isWell, false)
  assert.match(lost.text, /one → two: nothing comes back: is UDP 4789 open/)
  const narrow = found([{ ...one, paths: [{ to: b, isReached: true, isWhole: false }] }, two])
  assert.match(narrow.text, /only small packets come back/)
  const gone = found([one, { nodeId: b, hostname: 'two', unreachable: 'it is down' }])
  assert.equal(gone.isWell, false)
  assert.match(gone.text, /two: not examined, it is down/)
})
