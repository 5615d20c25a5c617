import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonProblem } from './json-problem.ts'

test("texts that are no JSON are refused in Go's words", () => {
  const said = (text: string) => jsonProblem(text, 'unexpected EOF')
  assert.equal(said('{"Name":'), 'unexpected EOF')
  assert.equal(said('nonsense'), "invalid character 'o' in literal null (expecting 'u')")
  assert.equal(said('{a'), "invalid character 'a' looking for beginning of object key string")
  assert.equal(said('{"a" 1}'), "invalid character '1' after object key")
  assert.equal(said('{"a":1 2}'), "invalid character '2' after object key:value pair")
  assert.equal(said('[1 2]'), "invalid character '2' after array element")
  assert.equal(said('{"a":1,}'), "invalid character '}' looking for beginning of object key string")
  assert.equal(said('[1,]'), "invalid character ']' looking for beginning of value")
  assert.equal(said('"\\x"'), "invalid character 'x' in string escape code")
  assert.equal(said('"\n"'), String.raw`invalid character '\n' in string literal`)
  assert.equal(said('-x'), "invalid character 'x' in numeric literal")
  assert.equal(said('1.x'), "invalid character 'x' after decimal point in numeric literal")
  assert.equal(said('{} x'), "invalid character 'x' after top-level value")
  assert.equal(said("'a'"), String.raw`invalid character '\'' looking for beginning of value`)
})

test('what JSON.parse takes has no problem, and what it refuses has one', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (json, place, inserted) => {
      const at = place % (json.length + 1)
      const text = json.slice(0, at) + inserted + json.slice(at)
      let parses = true
      try {
        JSON.parse(text)
      } catch {
        parses = false
      }
      assert.equal(jsonProblem(text, 'end') === undefined, parses, text)
    }),
  )
})
