import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceSpecToModel } from './service.ts'
import { asKnownTo } from './older-clients.ts'

const spec = serviceSpecToModel({
  Name: 'web',
  TaskTemplate: {
    ContainerSpec: {
      Image: 'web',
      Sysctls: { 'net.core.somaxconn': '9' },
      CapabilityAdd: ['NET_ADMIN'],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      Configs: [{ ConfigID: 'c', ConfigName: 'c', Runtime: {} }],
    },
    Resources: { Limits: { Pids: 5, MemoryBytes: 8_000_000 } },
    Placement: { MaxReplicas: 2, Constraints: ['node.role==worker'] },
  },
  Mode: { ReplicatedJob: { TotalCompletions: 2 } },
})

test('what a client of an older version cannot mean is left out', () => {
  assert.equal(asKnownTo('1.41', spec), spec)
  const older = asKnownTo('1.40', spec)
  assert.deepEqual(older.mode, { type: 'replicated' })
  assert.deepEqual(older.template.resources?.limits, { memoryBytes: 8_000_000 })
  const [container] = older.template.containers
  assert.equal(container?.capabilityAdd, undefined)
  assert.equal(container?.ulimits, undefined)
  assert.deepEqual(container?.sysctls, { 'net.core.somaxconn': '9' })
  const oldest = asKnownTo('1.39', spec)
  assert.equal(oldest.template.containers[0]?.sysctls, undefined)
  assert.deepEqual(oldest.template.containers[0]?.configs, [{ configId: 'c', configName: 'c' }])
  assert.deepEqual(oldest.template.placement, { constraints: ['node.role==worker'] })
})
