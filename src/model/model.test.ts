import assert from 'node:assert/strict'
import { test } from 'node:test'
import { meetsConstraints, parseConstraint } from './constraint.ts'
import type { Constraint } from './constraint.ts'
import { aNode, aService } from './testing/builders.ts'
import { compareStates, taskStates, transitions } from './task-state.ts'
import { serviceProblems } from './validate/service.ts'

test('every transition goes forward, and each source state has one owner besides node-health', () => {
  const owners = new Map<string, string[]>()
  for (const [owner, table] of Object.entries(transitions))
    for (const [from, targets] of Object.entries(table)) {
      for (const to of targets) assert.ok(compareStates(from as never, to) < 0, `${from} to ${to}`)
      if (owner !== 'node-health') owners.set(from, [...(owners.get(from) ?? []), owner])
    }
  for (const [state, list] of owners) assert.equal(list.length, 1, state)
})

test('every state but the first can be reached', () => {
  const reached = new Set(Object.values(transitions).flatMap((table) => Object.values(table).flat()))
  // "remove" is only ever desired.
  const expected = taskStates.filter((state) => state !== 'new' && state !== 'remove')
  assert.deepEqual(
    expected.filter((state) => !reached.has(state)),
    [],
  )
})

const meets = (
  text: string,
  node = aNode({ hostname: 'w1', labels: { zone: 'a' }, status: { address: '10.1.2.3' } }),
) => meetsConstraints(node, [parseConstraint(text) as Constraint])

test('constraints', () => {
  assert.equal(meets('node.hostname==w1'), true)
  assert.equal(meets('node.hostname!=w1'), false)
  assert.equal(meets('node.labels.zone == a'), true)
  assert.equal(meets('node.labels.zone!=b'), true)
  assert.equal(meets('node.labels.other!=b'), true)
  assert.equal(meets('node.role==WORKER'), true)
  assert.equal(meets('node.platform.arch==amd64'), true)
  assert.equal(meets('node.ip==10.1.0.0/16'), true)
  assert.equal(meets('node.ip==10.2.0.0/16'), false)
  assert.equal(meets('node.nonsense==x'), false)
})

test('constraints that do not parse', () => {
  for (const text of ['node.role', 'node.role=worker', '==worker', 'node.role=='])
    assert.ok('refusal' in parseConstraint(text), text)
})

test('a service that is wrong is told each reason', () => {
  const problems = (options: Parameters<typeof aService>[0]) =>
    serviceProblems(aService(options).spec).map(({ message }) => message)
  assert.deepEqual(problems({}), [])
  assert.deepEqual(problems({ name: '' }), ['meta: name must be provided'])
  assert.deepEqual(problems({ name: 'a b' }), ['name must be valid as a DNS name component'])
  assert.deepEqual(problems({ replicas: -1 }), ['Number of replicas must be non-negative'])
  assert.deepEqual(problems({ image: '' }), ['ContainerSpec: image reference must be provided'])
  const port = { protocol: 'tcp', targetPort: 80, publishedPort: 80, publishMode: 'ingress' } as const
  assert.deepEqual(problems({ endpoint: { ports: [port, { ...port, targetPort: 81 }] } }), [
    'EndpointSpec: duplicate published ports provided',
  ])
  assert.deepEqual(problems({ endpoint: { mode: 'dnsrr', ports: [port] } }), [
    "EndpointSpec: port published with ingress mode can't be used with dnsrr mode",
  ])
})
