import assert from 'node:assert/strict'
import { test } from 'node:test'
import { everyProblem, withoutEntry } from './every-problem.ts'

const compose = `services:
  web:
    image: web
    deploy:
      replicas: many
    ports:
    - "80:80"
    - "x"
  api:
    image: [1]
    nonsense: 1
`

test('an entry goes with what is below it and with what held nothing else; lines keep their numbers', () => {
  const left = (line: number) =>
    withoutEntry(compose, line)
      .split('\n')
      .flatMap((text, index) => (text === '' ? [] : [index + 1]))
  assert.deepEqual(left(5), [1, 2, 3, 6, 7, 8, 9, 10, 11])
  assert.deepEqual(left(6), [1, 2, 3, 4, 5, 9, 10, 11])
  assert.deepEqual(left(8), [1, 2, 3, 4, 5, 6, 7, 9, 10, 11])
  assert.deepEqual(left(9), [1, 2, 3, 4, 5, 6, 7, 8])
})

/** As docker: the first of these that still stands in the file. */
const says = (sentences: readonly (readonly [string, string])[]) => (text: string) =>
  Promise.resolve(sentences.find(([mark]) => text.includes(mark))?.[1])

test('all that is wrong is told, each with its line, though docker tells one thing at a time', async () => {
  const found = await everyProblem(
    compose,
    says([
      ['[1]', 'services.api.image must be a string'],
      ['nonsense', 'services.api Additional property nonsense is not allowed'],
      ['many', 'services.web.deploy.replicas must be a integer'],
      // Only because the image was taken out.
      ['api:', 'something about api without a place'],
    ]),
  )
  assert.deepEqual(
    found.map(({ line }) => line),
    [5, 10, 11],
  )
  const unplaced = await everyProblem(compose, says([['web', 'it is wrong somehow']]))
  assert.deepEqual(unplaced, [{ message: 'it is wrong somehow' }])
  assert.deepEqual(await everyProblem(compose, says([])), [])
  const broken = await everyProblem(compose, says([['web', 'yaml: line 3: did not find expected key']]))
  assert.deepEqual(
    broken.map(({ line }) => line),
    [3],
  )
})
