import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { refusals, runtimeCommands } from './runtime-commands.ts'
import { assignSlots, filledSlots, slotCount } from './slots.ts'

test('thirty tasks fit where three were', () => {
  assert.equal(slotCount(3), 32)
  assert.equal(slotCount(30), 64)
})

const addresses = fc.uniqueArray(fc.integer({ min: 1, max: 40 }).map((last) => `10.0.0.${String(last)}`))

test('slots hold exactly the targets, and nobody who stays is moved', () => {
  fc.assert(
    fc.property(addresses, addresses, (first, second) => {
      const before = filledSlots(first)
      const assigned = assignSlots(before, new Set(second))
      if (assigned === undefined) return assert.ok(second.length > before.length)
      assert.deepEqual(assigned.slots.filter((address) => address !== '').sort(), [...second].sort())
      before.forEach((address, slot) => {
        if (second.includes(address)) assert.equal(assigned.slots[slot], address)
      })
      const played = [...before]
      for (const { slot, address } of assigned.changes) played[slot] = address
      assert.deepEqual(played, assigned.slots)
      return undefined
    }),
  )
})

test('a slot that was emptied is given out last', () => {
  const assigned = assignSlots(['10.0.0.1', ''], new Set(['10.0.0.2']))
  assert.deepEqual(assigned?.slots, ['', '10.0.0.2'])
})

test('changes become commands of the runtime socket, whose refusals are seen', () => {
  const commands = runtimeCommands('web:80', 80, [
    { slot: 0, address: '' },
    { slot: 1, address: '10.0.0.2' },
  ])
  assert.deepEqual(commands.slice(0, 3), [
    'set server web:80/s1 state maint',
    'set server web:80/s2 state maint',
    'set server web:80/s2 addr 10.0.0.2 port 80',
  ])
  assert.deepEqual(
    refusals(
      "IP changed from '0.0.0.0' to '10.0.0.2', no need to change the port by 'stats socket command'\n\n",
    ),
    [],
  )
  assert.deepEqual(refusals('No such server.\n'), ['No such server.'])
})
