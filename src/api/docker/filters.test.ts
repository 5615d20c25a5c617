import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchesLabels, parseFilters, refuseOtherValues } from './filters.ts'

const parse = (text: string) => Object.fromEntries(parseFilters(text, ['name', 'label']))

test('both forms, and what Go makes of nothing', () => {
  assert.deepEqual(parse('{"name":["a","b"]}'), { name: ['a', 'b'] })
  assert.deepEqual(parse('{"name":{"a":true,"b":false}}'), { name: ['a', 'b'] })
  assert.deepEqual(parse('{"name":null}'), { name: [] })
  assert.deepEqual(parse('{"name":{},"label":["x"]}'), { name: [], label: ['x'] })
  assert.deepEqual(parse('null'), {})
})

test("what is neither is refused in Go's words", () => {
  assert.throws(() => parse('{"name":["a",5]}'), /cannot unmarshal array into Go value of type map/)
  assert.throws(() => parse('{"name":{"a":5}}'), /cannot unmarshal number into Go value of type bool/)
  assert.throws(() => parse('{"name":["a"],"label":{"b":true}}'), /cannot unmarshal array/)
  assert.throws(() => parse('{"color":null}'), /Invalid filter 'color'/)
})

test('words of a closed set are taken in any case, and none is no wish', () => {
  const roles = parseFilters('{"name":["MANAGER",""]}', ['name'])
  refuseOtherValues(roles, 'name', ['manager'])
  assert.throws(() => {
    refuseOtherValues(roles, 'name', ['worker'])
  }, /Invalid name filter: 'MANAGER'/)
})

test('a label with nothing behind it is that label with anything', () => {
  const has = (wanted: string) =>
    matchesLabels(parseFilters(JSON.stringify({ label: [wanted] }), ['label']), 'label', { a: 'b' })
  assert.deepEqual(['a', 'a=', 'a=b', 'a=c', 'b'].map(has), [true, true, true, false, false])
})
