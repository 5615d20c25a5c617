import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Heap } from './heap.ts'

test('a heap gives its items back in order, however they came and changed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer()),
      fc.array(fc.integer()),
      fc.integer({ min: 0 }),
      (first, later, added) => {
        const heap = new Heap(
          first.map((value) => ({ value })),
          (a, b) => a.value - b.value,
        )
        const expected = [...first]
        const top = heap.peek()
        if (top !== undefined) {
          expected.splice(expected.indexOf(top.value), 1, top.value + added)
          top.value += added
          heap.settleTop()
        }
        for (const value of later) heap.push({ value })
        expected.push(...later)
        const popped: number[] = []
        for (let item = heap.pop(); item !== undefined; item = heap.pop()) popped.push(item.value)
        assert.deepEqual(
          popped,
          expected.sort((a, b) => a - b),
        )
        assert.equal(heap.size, 0)
      },
    ),
  )
})
