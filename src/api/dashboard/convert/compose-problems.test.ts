import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeProblems, lineOfPath } from './compose-problems.ts'

const compose = `version: "3.8"
services:
  api:
    image: api
    deploy:
      replicas: 1
  web:
    image: web   # the front
    deploy:
      replicas: many
    networks: [front]
`

test('a key is found by its path, and not in another part', () => {
  assert.equal(lineOfPath(compose, ['services', 'web', 'deploy', 'replicas']), 10)
  assert.equal(lineOfPath(compose, ['services', 'api', 'deploy', 'replicas']), 6)
  assert.equal(lineOfPath(compose, ['services', 'web', 'ports', '0']), 7)
  assert.equal(lineOfPath(compose, ['networks', 'x']), undefined)
  const list =
    'services:\n  web:\n    ports:\n      - "80:80"\n      - target: 1\n        mode: x\n      - "y"\n    deploy:\n'
  assert.equal(lineOfPath(list, ['services', 'web', 'ports', '2']), 7)
  assert.equal(lineOfPath(list, ['services', 'web', 'ports', '3']), 3)
})

test("docker's sentences get their lines", () => {
  const lineOf = (said: string) => composeProblems(compose, said)[0]?.line
  assert.equal(lineOf('services.web.deploy.replicas must be a integer'), 10)
  assert.equal(lineOf('yaml: line 3: did not find expected key'), 3)
  assert.equal(lineOf('service "web": undefined network "front"'), 7)
  assert.equal(lineOf('(root) Additional property services is not allowed'), 2)
  assert.equal(lineOf('secret not found: front'), 11)
  assert.equal(lineOf('something else went wrong'), undefined)
  assert.deepEqual(composeProblems(compose, '\n'), [])
})
