import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secretSpecToModel } from './secret.ts'

test("data is base64, or is refused in Go's words", () => {
  const dataOf = (Data: string) => secretSpecToModel({ Name: 'a', Data }).data
  assert.equal(dataOf('aGVsbG8='), 'aGVsbG8=')
  assert.equal(dataOf('aGVs\nbG8='), 'aGVsbG8=')
  assert.equal(dataOf(''), '')
  assert.throws(() => dataOf('!!'), /^MureError: illegal base64 data at input byte 0$/)
  assert.throws(() => dataOf('aGVs!G8='), /input byte 4/)
  assert.throws(() => dataOf('aGV'), /illegal base64 data/)
})
