import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decode, encode } from 'dns-packet'
import type { RecordType } from 'dns-packet'
import fc from 'fast-check'
import { seededRandom } from '#lib/random.ts'
import type { DataPlaneEndpoint, DataPlaneMember } from '#model/data-plane.ts'
import { DataPlaneState } from '../data-plane-state.ts'
import { addressOfPointer, answer } from './answer.ts'
import { aged, lifetimeOf, parseQuery, renderAnswer, renderFailure } from './message.ts'

const random = seededRandom(1)
const asker = { networks: new Map([['net', 'front']]) }

const question = (name: string, type: RecordType, udpBytes = 0): Buffer =>
  encode({
    type: 'query',
    id: 77,
    flags: 256,
    questions: [{ type, name, class: 'IN' }],
    ...(udpBytes === 0
      ? {}
      : {
          additionals: [
            {
              type: 'OPT',
              name: '.',
              udpPayloadSize: udpBytes,
              extendedRcode: 0,
              ednsVersion: 0,
              flags: 0,
              flag_do: false,
              options: [],
            },
          ],
        }),
  })

function stateOf(members: number): DataPlaneState {
  const state = new DataPlaneState()
  const member = (index: number) =>
    ({
      key: `t${String(index)}/net`,
      taskId: `t${String(index)}`,
      networkId: 'net',
      nodeId: 'a',
      addresses: [`10.0.${String(index >> 8)}.${String(index & 255)}`, `fd00::${index.toString(16)}`],
      serviceId: 'web',
      names: [`web.${String(index)}`],
      isServing: true,
    }) as unknown as DataPlaneMember
  const endpoint = {
    key: 'web/net',
    serviceId: 'web',
    networkId: 'net',
    names: ['web'],
    virtualAddresses: [],
    ports: [],
    prefersLocal: false,
  } as unknown as DataPlaneEndpoint
  state.apply({
    full: true,
    sequence: 1,
    port: 4789,
    hosts: { put: [], remove: [] },
    members: { put: Array.from({ length: members }, (_, index) => member(index + 1)), remove: [] },
    endpoints: { put: [endpoint], remove: [] },
  })
  return state
}

function ask(state: DataPlaneState, message: Buffer, limit?: number) {
  const query = parseQuery(message)
  if (query === undefined || typeof query === 'number') throw new Error('no question')
  const reply = answer(query, asker, state, random, limit ?? query.udpBytes)
  return reply === undefined ? undefined : decode(reply)
}

test('whatever comes in, nothing throws, and what is answered is a message with the number of the question', () => {
  const state = stateOf(3)
  const valid = question('web', 'A', 1232)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc
          .tuple(fc.nat(valid.length - 1), fc.nat(255))
          .map(([at, value]) => Object.assign(Buffer.from(valid), { [at]: value })),
      ),
      (bytes) => {
        const message = Buffer.from(bytes)
        const query = parseQuery(message)
        if (query === undefined) return
        const reply =
          typeof query === 'number'
            ? renderFailure(message, query)
            : (answer(query, asker, state, random, query.udpBytes) ??
              renderAnswer(query, [], { ttlSeconds: 0, code: 2, limit: 512 }))
        assert.equal(reply.readUInt16BE(0), message.readUInt16BE(0))
        assert.ok(((reply[2] ?? 0) & 0x80) !== 0)
        lifetimeOf(message)
        aged(message, 10)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a name has its addresses of the kind that is asked for, in changing order', () => {
  const state = stateOf(3)
  const orders = new Set<string>()
  for (let i = 0; i < 50; i++) {
    const reply = ask(state, question('WeB', 'A'))
    assert.equal(reply?.id, 77)
    const found = (reply.answers ?? []).map((record) => (record as { data?: string }).data ?? '')
    assert.deepEqual([...found].sort(), ['10.0.0.1', '10.0.0.2', '10.0.0.3'])
    orders.add(found.join())
  }
  assert.ok(orders.size > 1)
  const six = ask(state, question('tasks.web.front', 'AAAA'))
  assert.equal(six?.answers?.length, 3)
  assert.equal(ask(state, question('web', 'MX'))?.answers?.length, 0)
  assert.equal(ask(state, question('elsewhere', 'A')), undefined)
})

test('what does not fit is marked as cut, and is whole for those who can take more', () => {
  const state = stateOf(100)
  const small = ask(state, question('web', 'A'))
  assert.equal(small?.answers?.length, Math.floor((512 - question('web', 'A').length) / 16))
  assert.equal((small as unknown as { flag_tc: boolean }).flag_tc, true)
  const large = ask(state, question('web', 'A', 4096))
  assert.equal(large?.answers?.length, 100)
  assert.equal(large.additionals?.[0]?.type, 'OPT')
  assert.equal(ask(state, question('web', 'A'), 65_535)?.answers?.length, 100)
})

test('addresses of both kinds have names', () => {
  assert.equal(addressOfPointer('4.3.2.10.in-addr.arpa'), '10.2.3.4')
  const digits = '1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f'
  assert.equal(addressOfPointer(`${digits}.ip6.arpa`), 'fd00::1')
  assert.equal(addressOfPointer('x.in-addr.arpa'), undefined)
  const reply = ask(stateOf(3), question('2.0.0.10.in-addr.arpa', 'PTR'))
  assert.equal((reply?.answers?.[0] as { data?: string } | undefined)?.data, 'web.2.front')
})

test('an answer is kept as long as its shortest-lived record, which grows old', () => {
  const message = encode({
    type: 'response',
    id: 1,
    questions: [{ type: 'A', name: 'example.org' }],
    answers: [
      { type: 'A', name: 'example.org', ttl: 60, data: '192.0.2.1' },
      { type: 'A', name: 'example.org', ttl: 30, data: '192.0.2.2' },
    ],
  })
  assert.equal(lifetimeOf(message), 30)
  assert.equal(lifetimeOf(aged(message, 12)), 18)
})
